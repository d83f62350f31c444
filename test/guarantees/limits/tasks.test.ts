import { sendInBatches } from '../../../lib/tasks/send-in-batches';
import { getPrefixes } from '../../../lib/tasks/prefixes';
import { LabelSet } from '../../../lib/tasks/labels';
import { getTranscriptHints } from '../../../lib/tasks/transcript-hints';
import { ServerError } from '../../../lib/errors/server-error';
import { testLimit, textOfBytes, textOfCharacters } from '../../support/jest/limits';

/** Sizes of the batches in which two texts are sent. */
async function batchesOf(first: string, second: string): Promise<number[]> {
	const sizes: number[] = [];
	await sendInBatches(
		[first, second].map((text, index) => ({ index, text })),
		{
			batchSize: 10,
			limit: { maxTexts: Infinity },
			send: async (batch) => {
				sizes.push(batch.length);
				return await Promise.resolve(batch.map(() => 1));
			},
			canTruncate: false,
			toError: (error) => error,
		},
	);
	return sizes;
}

testLimit('lib/tasks/send-in-batches.ts#MAX_BYTES', {
	limit: 524_288,
	of: 'bytes of ASCII',
	outcome: async (bytes) => await batchesOf('a'.repeat(bytes - 10), 'b'.repeat(10)),
	within: [2],
	beyond: [1, 1],
});
testLimit('lib/tasks/send-in-batches.ts#MAX_BYTES', {
	limit: 524_288,
	of: 'bytes of wide characters',
	outcome: async (bytes) => await batchesOf(textOfBytes(bytes - 9), textOfBytes(9)),
	within: [2],
	beyond: [1, 1],
});
testLimit('lib/tasks/send-in-batches.ts#MAX_CHECKED_TEXTS', {
	limit: 8,
	// The first text and the last ones are refused, the second is good: is it found?
	outcome: async (others) => {
		const texts = ['bad', 'good', ...Array.from({ length: others - 1 }, () => 'bad')];
		/** What the others of a failed text are said to be. */
		const verdicts: string[] = [];
		await sendInBatches(
			texts.map((text, index) => ({ index, text })),
			{
				batchSize: 100,
				limit: { maxTexts: Infinity },
				send: async (batch) => {
					if (batch.some(({ text }) => text === 'bad'))
						throw new ServerError({ type: 'badRequest', title: 'no', suggestion: '' });
					return await Promise.resolve(batch.map(() => 1));
				},
				canTruncate: false,
				toError: (error, _text, otherTexts) => {
					verdicts.push(otherTexts);
					return error;
				},
			},
		).catch(() => undefined);
		return verdicts;
	},
	within: ['accepted'],
	beyond: ['rejected'],
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
