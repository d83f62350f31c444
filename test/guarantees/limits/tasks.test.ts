import { createBatchMemory, sendInBatches } from '../../../lib/tasks/send-in-batches';
import { getPrefixes } from '../../../lib/tasks/prefixes';
import { LabelSet } from '../../../lib/tasks/labels';
import { getTranscriptHints } from '../../../lib/tasks/transcript-hints';
import { ServerError } from '../../../lib/errors/server-error';
import { TASK_LIMITS } from '../../../lib/task-limits';
import { testLimit, textOfBytes, textOfCharacters } from '../../support/jest/limits';

/** Sizes of the batches in which two texts are sent. */
async function batchesOf(first: string, second: string): Promise<number[]> {
	const sizes: number[] = [];
	await sendInBatches(
		[first, second].map((text, index) => ({ index, text })),
		{
			batchSize: 10,
			maxBytes: TASK_LIMITS.embed.sentBytes,
			memory: createBatchMemory(),
			send: async (batch) => {
				sizes.push(batch.length);
				return await Promise.resolve(batch.map(() => 1));
			},
			canTruncate: false,
			onFailure: () => undefined,
		},
	);
	return sizes;
}

testLimit('lib/task-limits.ts#TASK_LIMITS.embed.sentBytes', {
	limit: 524_288,
	of: 'bytes of ASCII',
	outcome: async (bytes) => await batchesOf('a'.repeat(bytes - 10), 'b'.repeat(10)),
	within: [2],
	beyond: [1, 1],
});
testLimit('lib/task-limits.ts#TASK_LIMITS.embed.sentBytes', {
	limit: 524_288,
	of: 'bytes of wide characters',
	outcome: async (bytes) => await batchesOf(textOfBytes(bytes - 9), textOfBytes(9)),
	within: [2],
	beyond: [1, 1],
});
/** A text that the server refuses with a status of its own. */
const createRefusal = (serverText = '') =>
	new ServerError({
		type: 'badRequest',
		inputWords: { title: 'no', suggestion: '' },
		status: 400,
		serverText,
	});

testLimit('lib/tasks/send-in-batches.ts#MAX_REFUSED_TEXTS', {
	limit: 8,
	// So many texts are refused one after the other: does a text that was accepted have to be accepted again?
	outcome: async (refused) => {
		const sent: string[] = [];
		await sendInBatches(
			['good', ...Array.from({ length: refused - 1 }, () => 'bad'), 'good'].map((text, index) => ({
				index,
				text,
			})),
			{
				batchSize: 1,
				maxBytes: TASK_LIMITS.embed.sentBytes,
				memory: createBatchMemory(),
				send: async (batch) => {
					sent.push(...batch.map(({ text }) => text));
					if (batch.some(({ text }) => text === 'bad')) throw createRefusal();
					return await Promise.resolve(batch.map(() => 1));
				},
				canTruncate: false,
				onFailure: () => undefined,
			},
		);
		return sent.filter((text) => text === 'good').length;
	},
	within: 2,
	beyond: 3,
});

/** How often a text is sent, each time shorter, to a server that refuses it with these words. */
async function countTries(serverText: (length: number) => string): Promise<number> {
	let tries = 0;
	await sendInBatches([{ index: 0, text: 'x'.repeat(100_000) }], {
		batchSize: 1,
		maxBytes: TASK_LIMITS.embed.sentBytes,
		memory: createBatchMemory(),
		send: async ([item]) => {
			tries++;
			return await Promise.reject(createRefusal(serverText(item!.text.length)));
		},
		canTruncate: true,
		onFailure: () => undefined,
	});
	return tries;
}

testLimit('lib/tasks/shorten-text.ts#MAX_HALVES', {
	limit: 3,
	outcome: async (halves) => (await countTries(() => '')) > halves,
	within: true,
	beyond: false,
});
testLimit('lib/tasks/shorten-text.ts#MAX_LIMITED', {
	limit: 4,
	outcome: async (times) =>
		(await countTries((length) => `at most ${Math.floor(length / 2)} characters`)) > times,
	within: true,
	beyond: false,
});
testLimit('lib/tasks/prefixes.ts#MAX_NAME_LENGTH', {
	limit: 500,
	outcome: (length) => getPrefixes('nomic-embed-text'.padStart(length, '界')).query,
	within: 'search_query: ',
	beyond: '',
});
testLimit('lib/tasks/labels.ts#MAX_LABELS_LENGTH', {
	limit: 2_000_000,
	outcome: (length) => {
		const labels = new LabelSet([{ name: 'one' }, { name: 'two' }], true);
		const text = '["A"]';
		// The blanks stand before the last characters, which are searched in any case.
		return labels.parse(text + ' '.repeat(length - text.length)) !== undefined;
	},
	within: true,
	beyond: false,
});
testLimit('lib/tasks/transcript-hints.ts#MAX_NO_SPEECH', {
	limit: 0.6,
	step: 0.01,
	outcome: (probability) =>
		getTranscriptHints({
			extraFields: { segments: [{ no_speech_prob: probability }] },
			subtitles: undefined,
		} as never).length,
	within: 0,
	beyond: 1,
});

test('characters of two units are counted in bytes', async () => {
	expect(await batchesOf(textOfCharacters(131_071), 'four')).toEqual([2]);
	expect(await batchesOf(textOfCharacters(131_071), 'fives')).toEqual([1, 1]);
});
