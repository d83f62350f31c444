import { forgetAll } from '../../../lib/kept';

// What one test learned about a server must not reach the next one.
beforeEach(forgetAll);
