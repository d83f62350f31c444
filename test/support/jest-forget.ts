import { forgetAll } from '../../lib/remembered';

// What one test taught about a server is not known to the next one.
beforeEach(forgetAll);
