/** Recorded streams that break off: the whole result, or an error with what had arrived. */
import { CUT_STREAMS, expectWholeOrFailed } from './cut-streams';

type VirtualTime = typeof import('../../../recordings/support/virtual-time');
jest.mock(
	'node:timers',
	() => jest.requireActual<VirtualTime>('../../../recordings/support/virtual-time').timers,
);
jest.mock(
	'n8n-workflow',
	() => jest.requireActual<VirtualTime>('../../../recordings/support/virtual-time').workflow,
);

/** A prime, so that all places of an event are met. Each byte is tried in `test/fault-injection/dify-streams.test.ts`. */
const STEP = 211;

/** Ten minutes later, what Dify keeps is looked at once. */
test.each(CUT_STREAMS)('%s %s, frozen behind any byte', async (set, name, found) => {
	await expectWholeOrFailed(set, name, found, 5 * STEP, true);
});

test.each(CUT_STREAMS)('%s %s, cut behind any byte', async (set, name, found) => {
	await expectWholeOrFailed(set, name, found, STEP);
});
