import { describeRequests, forgetRequests } from '../servers/requests';

beforeEach(forgetRequests);

// Read by the environment (`jest-environment.cjs`), which sees the error of a test that waits too long.
Object.assign(globalThis, { describeRequestsOfTest: describeRequests });
