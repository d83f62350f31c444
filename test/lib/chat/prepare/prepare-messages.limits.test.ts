/** Limits and trims of one conversation, in every combination: History Budget, the size of a request, that of a tool result. */
import { getText } from '../../../../lib/chat/content';
import { prepareMessages } from '../../../../lib/chat/prepare/prepare-messages';
import { asServerErrorOrThrow } from '../../../../lib/errors/server-error';
import { MAX_TEXT_BYTES, TASK_LIMITS } from '../../../../lib/task-limits';
import { combine } from '../../../support/approved/outcome';
import { toInputs } from '../../../support/texts/messages';
import type { ShortInput } from '../../../support/texts/messages';
import { PLAIN_SETTINGS } from '../chat-settings';

const MAX_BYTES = TASK_LIMITS.chat.sentBytes;
const PART = 'word '.repeat(MAX_TEXT_BYTES / 8);

/** A turn with a question of so many bytes, in messages that are each short enough. */
const turn = (bytes: number): ShortInput[] => [
	...Array.from({ length: Math.floor(bytes / PART.length) }, (): ShortInput => ({
		type: 'human',
		content: PART,
	})),
	{ type: 'human', content: 'So?' },
];

/** A turn with a call whose result has so many bytes. */
const toolTurn = (bytes: number): ShortInput[] => [
	{ type: 'human', content: 'Look' },
	{ type: 'ai', content: '', toolCalls: [{ id: '1', name: 'look', args: {} }] },
	{ type: 'tool', toolCallId: '1', content: 'x'.repeat(bytes) },
];

const LITTLE = 10;
const CASES = combine({
	earlierBytes: [LITTLE, MAX_BYTES + PART.length],
	earlierResultBytes: [LITTLE, 2 * MAX_TEXT_BYTES],
	currentBytes: [LITTLE, MAX_BYTES + PART.length],
	currentResultBytes: [LITTLE, 2 * MAX_TEXT_BYTES],
	historyBudget: [0, 1_000],
});

/** Bytes of what is sent, or the title of the error. */
function prepare(history: ShortInput[], historyBudget: number): number | string {
	try {
		const { messages } = prepareMessages(toInputs(history), { ...PLAIN_SETTINGS, historyBudget });
		return Buffer.byteLength(messages.map(({ content }) => getText(content, '\n')).join(''));
	} catch (error) {
		return asServerErrorOrThrow(error).message;
	}
}

const answer: ShortInput = { type: 'ai', content: 'Yes' };
const TOO_LARGE = expect.stringMatching(/^The conversation has .* MB of text/) as string;

test.each(CASES)(
	'earlier turns of $earlierBytes bytes and a result of $earlierResultBytes, this one of $currentBytes and $currentResultBytes, budget $historyBudget',
	({ earlierBytes, earlierResultBytes, currentBytes, currentResultBytes, historyBudget }) => {
		const earlier = [...turn(earlierBytes), answer, ...toolTurn(earlierResultBytes), answer];
		const current = [...turn(currentBytes), ...toolTurn(currentResultBytes).slice(1)];
		const sent = prepare([...earlier, ...current], historyBudget);
		// A result is cut to the size of one text before the size of all counts.
		const keptBytes = (bytes: number) => Math.min(bytes, MAX_TEXT_BYTES);
		const needed = currentBytes + keptBytes(currentResultBytes);
		const all = needed + earlierBytes + keptBytes(earlierResultBytes);
		// The budget omits earlier turns before the size of the rest counts.
		const counted = historyBudget === 0 ? all : needed;
		expect(sent).toEqual(counted > MAX_BYTES ? TOO_LARGE : expect.any(Number));
		if (typeof sent === 'number') expect(sent).toBeLessThanOrEqual(MAX_BYTES);
	},
);

test.each([
	{
		what: 'an omitted result',
		historyBudget: 50,
		warnings: ['the oldest ones were omitted'],
	},
	{
		what: 'a shortened result',
		historyBudget: 2_000,
		warnings: ['old tool results were shortened: 1'],
	},
	{ what: 'a result that was sent', historyBudget: 0, warnings: ['The model got its beginning.'] },
])('the warnings about $what do not contradict each other', ({ historyBudget, warnings }) => {
	const earlier = [...turn(LITTLE), answer, ...toolTurn(2 * MAX_TEXT_BYTES), answer];
	const prepared = prepareMessages(toInputs([...earlier, ...turn(LITTLE)]), {
		...PLAIN_SETTINGS,
		historyBudget,
	});
	expect(prepared.warnings).toEqual(
		warnings.map((warning) => expect.stringContaining(warning) as string),
	);
});
