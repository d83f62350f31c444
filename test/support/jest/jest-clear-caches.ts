import { clearSharedCaches } from '../../../lib/lru-cache';

// What one test learned about a server must not reach the next one.
beforeEach(clearSharedCaches);
