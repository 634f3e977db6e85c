// One product, one order: the first test takes the one-time password, the others live on what it made.
import { outcome } from "./outcome";
import { pages } from "./pages";
import { timeline } from "./timeline";

outcome();
timeline();
pages();
