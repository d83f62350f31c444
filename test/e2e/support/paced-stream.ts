import { waitFor } from '../../support/waiting/wait-for';
import type { SimRun, StreamKnobs } from '../../simulators/dify/types';
import { textOf } from './playground';
import type { ChatLine } from './playground';

const PIECES = ['message', 'agent_message'];

const textSent = (run: SimRun): string =>
	run.events
		.filter(({ event }) => PIECES.includes(String(event)))
		.map(({ answer }) => String(answer))
		.join('');

/**
 * A stream of Dify whose next event is sent only when the chat has shown the text of those before. So a chat that shows
 * each chunk immediately gets them separately, even on a slow machine; one that waits for the end fails.
 */
export const afterShown = (shown: readonly ChatLine[]): StreamKnobs => ({
	beforeEvent: async (run) => await waitFor(() => textOf(shown).startsWith(textSent(run))),
});
