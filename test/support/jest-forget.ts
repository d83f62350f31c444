import { clearSharedCaches } from '../../lib/lru-cache';

// What one test taught about a server is not known to the next one.
beforeEach(clearSharedCaches);
