/** What is said about each result in comparison with each request, and nothing about a field that was not sent. */
import { findDifferences, toSentFields } from '../../../lib/exchange/differences';
import type { JsonRecord } from '../../../lib/values/records';
import { expectApproved } from '../../support/approved/approved-table';
import { combine } from '../../support/approved/outcome';
import path from 'node:path';

const SEGMENTS = [{ start: 0, end: 1, text: 'a' }];
const WORDS = [{ from: 0, word: 'a' }];

const TRANSCRIPTS: Readonly<Record<string, object>> = {
	text: { extraFields: {} },
	segments: { extraFields: { segments: SEGMENTS } },
	words: { extraFields: { words: WORDS } },
	'words inside segments': { extraFields: { segments: [{ ...SEGMENTS[0], words: WORDS }] } },
	'segments without times': { extraFields: { segments: [{ text: 'a' }] } },
	'segments with empty times': { extraFields: { segments: [{ start: null, text: 'a' }] } },
	srt: { extraFields: {}, subtitles: { format: 'srt', content: '' } },
	vtt: { extraFields: {}, subtitles: { format: 'vtt', content: '' } },
	English: { extraFields: { language: 'english' } },
	German: { extraFields: { language: 'de' } },
};
const TRANSCRIPTIONS: readonly JsonRecord[] = [
	...['json', 'text', 'srt', 'vtt', 'verbose_json'].map((format) => ({ response_format: format })),
	...[['segment'], ['word'], ['word', 'segment'], ['other'], []].map((list) => ({
		response_format: 'verbose_json',
		'timestamp_granularities[]': list,
	})),
	...['en', 'de', '', 'xx'].map((language) => ({ language })),
];
const image = (extension: string, width?: number, height?: number) => ({
	extension,
	width,
	height,
});
const IMAGES: Readonly<Record<string, object>> = {
	none: { images: [] },
	'one PNG': { images: [image('png', 8, 8)] },
	'a PNG and a JPEG': { images: [image('png', 8, 8), image('jpg', 16, 8)] },
	'two alike': { images: [image('webp', 16, 8), image('webp', 16, 8)] },
	'of unknown size': { images: [image('png', 8), image('png', undefined, 8)] },
};
const IMAGE_REQUESTS: readonly JsonRecord[] = [
	...[1, 2, 3, 'x'].map((n) => ({ n })),
	...['8x8', '16x8', 'auto', '8 x 8'].map((size) => ({ size })),
	...['png', 'jpeg', 'webp'].map((format) => ({ output_format: format })),
];

const rows: Array<{ input: string; outcome: string[] }> = [];

function compare(
	operation: 'transcribe' | 'speak' | 'images' | 'embed',
	requests: readonly JsonRecord[],
	results: Readonly<Record<string, object>>,
): void {
	for (const { requestedFields, name, isSent } of combine({
		requestedFields: requests,
		name: Object.keys(results),
		isSent: [true, false],
	})) {
		const outcome = findDifferences(operation, {
			requested: toSentFields({ requestedFields, sentBody: isSent ? requestedFields : {} }),
			result: results[name] as never,
		}).map(({ kind, ...facts }) =>
			[kind, ...Object.values<unknown>(facts)].map(String).join(' | '),
		);
		if (outcome.length > 0 || !isSent)
			rows.push({
				input: `${operation} ${JSON.stringify(requestedFields)}${isSent ? '' : ' omitted'}: ${name}`,
				outcome,
			});
	}
}

test('each result of each request', () => {
	compare('transcribe', TRANSCRIPTIONS, {
		...TRANSCRIPTS,
		'German, translated': { ...TRANSCRIPTS.German, isTranslated: true },
	});
	compare(
		'speak',
		['mp3', 'wav', 'opus', 'ogg'].map((format) => ({ response_format: format })),
		{ mp3: { extension: 'mp3' }, wav: { extension: 'wav' }, ogg: { extension: 'ogg' } },
	);
	compare('images', IMAGE_REQUESTS, IMAGES);
	compare(
		'embed',
		[2, 3, '3', 'x'].map((dimensions) => ({ dimensions })),
		{ none: { dimensions: undefined }, two: { dimensions: 2 }, four: { dimensions: 4 } },
	);
	const silent = rows.filter(({ input }) => input.includes(' omitted'));
	expect(silent.filter(({ outcome }) => outcome.length > 0)).toEqual([]);
	expectApproved(
		path.join(__dirname, 'differences.any-result.approved.txt'),
		rows.filter((row) => !silent.includes(row)),
		'What was asked for and not obeyed is told',
	);
});
