/** Recorded streams that break off: the full result, or an error with the received part. */
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

/** A prime, so that all positions in an event are covered. */
const STEP = 211;

/** Ten minutes later, Dify's record is polled once. */
test.each(CUT_STREAMS)('%s %s, frozen after any byte', async (set, name, found) => {
	await expectWholeOrFailed(set, name, found, 5 * STEP, true);
});

test.each(CUT_STREAMS)('%s %s, cut after any byte', async (set, name, found) => {
	await expectWholeOrFailed(set, name, found, STEP);
});
