// One product, one order: the first test takes the one-time password, the others live on what it made.
import { factors } from "./factors";
import { inFirefox } from "./firefox";
import { invitation } from "./invitation";
import { workInLibrary } from "./library";
import { outcome } from "./outcome";
import { pages } from "./pages";
import { privacyWalk } from "./privacy";
import { programs } from "./programs";
import { signOn } from "./sign-on";
import { studio } from "./studio";
import { support } from "./support";
import { timeline } from "./timeline";
import { trail } from "./trail";

outcome();
timeline();
inFirefox();
workInLibrary();
invitation();
programs();
factors();
signOn();
studio();
support();
trail();
privacyWalk();
pages();
