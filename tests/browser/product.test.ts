// One product, one order: the first test takes the one-time password, the others live on what it made.
import { factors } from "./factors";
import { invitation } from "./invitation";
import { outcome } from "./outcome";
import { pages } from "./pages";
import { signOn } from "./sign-on";
import { studio } from "./studio";
import { timeline } from "./timeline";

outcome();
timeline();
invitation();
factors();
signOn();
studio();
pages();
