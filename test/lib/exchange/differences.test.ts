import { SERVER_TEXTS } from '../../../lib/errors/chapters/server-texts';
import {
	describeDifference,
	findDifferences,
	toSentFields,
} from '../../../lib/exchange/differences';
import type { Difference, ReceivedChat, RequestedChat } from '../../../lib/exchange/differences';

const describeAll = (differences: readonly Difference[]) =>
	differences.map((difference) => describeDifference(difference));

const SEGMENTS = [{ start: 0, end: 1, text: 'Hi' }];
const WORDS = [{ start: 0, end: 1, word: 'Hi' }];

const compareTranscript = (body: object, result: object = {}, sentBody: object = body) =>
	describeAll(
		findDifferences('transcribe', {
			requested: toSentFields({
				requestedFields: body as Record<string, unknown>,
				sentBody: sentBody as Record<string, unknown>,
			}),
			result: { extraFields: {}, isTranslated: false, ...result },
		}),
	);

const timesOf = (...granularities: string[]) => ({
	response_format: 'verbose_json',
	'timestamp_granularities[]': granularities,
});

describe('transcripts', () => {
	test.each<[string, object, object, RegExp]>([
		[
			'words are null',
			timesOf('word'),
			{ segments: SEGMENTS, words: null },
			/no times for words, only for segments/,
		],
		['words are missing', timesOf('word', 'segment'), { segments: SEGMENTS }, /no times for words/],
		[
			'words have no times',
			timesOf('word'),
			{ segments: SEGMENTS, words: [{ word: 'Hi', probability: 0.9 }] },
			/no times for words, only for segments/,
		],
		[
			'words in segments have no times',
			timesOf('word'),
			{ segments: [{ ...SEGMENTS[0], words: [{ word: 'Hi', start: null, end: null }] }] },
			/no times for words, only for segments/,
		],
		[
			'segments have no times',
			timesOf('word', 'segment'),
			{ segments: [{ id: 0, text: 'Hi', speaker: 'A' }], words: WORDS },
			/no times for segments, only for words/,
		],
		['words are empty', timesOf('word'), { segments: SEGMENTS, words: [] }, /no times for words/],
		[
			'segments are missing',
			timesOf('word', 'segment'),
			{ words: WORDS },
			/no times for segments, only for words/,
		],
		[
			'nothing is timed',
			timesOf('word', 'segment'),
			{},
			/only the text, without times for: word, segment/,
		],
		['no segments', { response_format: 'verbose_json' }, {}, /only the text, without segments/],
		[
			'another language',
			{ language: 'de' },
			{ language: 'english' },
			/language "english" instead of the requested "de"/,
		],
		['a code', { language: 'de-AT' }, { language: 'fr' }, /language "fr"/],
		['a name', { language: 'German' }, { language: 'en' }, /language "en"/],
	])('%s: one hint', (_name, body, extraFields, hint) => {
		expect(compareTranscript(body, { extraFields })).toEqual([expect.stringMatching(hint)]);
	});

	test.each<[object, object]>([
		[timesOf('word'), { words: WORDS }],
		[timesOf('word'), { segments: [{ ...SEGMENTS[0], words: WORDS }] }],
		[timesOf('segment'), { segments: SEGMENTS }],
		[{ response_format: 'json' }, {}],
		[{ language: 'de' }, { language: 'german' }],
		[{ language: 'pt-BR' }, { language: 'pt' }],
		[{ language: 'zh' }, { language: 'Cantonese' }],
		[{ language: 'nb' }, { language: 'norwegian' }],
		[{ language: 'auto' }, { language: 'en' }],
		[{ language: 'de' }, { language: 'None' }],
		[{ language: 'de' }, { language: null }],
		[{ language: 'de' }, {}],
		[{}, { language: 'en' }],
	])('%j, %j: no hint', (body, extraFields) => {
		expect(compareTranscript(body, { extraFields })).toEqual([]);
	});

	test('subtitles', () => {
		const subtitlesOf = (format: string) => ({ subtitles: { format, content: '' } });
		expect(compareTranscript({ response_format: 'srt' })).toEqual([
			expect.stringContaining('text instead of subtitles'),
		]);
		expect(compareTranscript({ response_format: 'srt' }, subtitlesOf('vtt'))).toEqual([
			expect.stringContaining('vtt instead of the requested srt'),
		]);
		expect(compareTranscript({ response_format: 'vtt' }, subtitlesOf('vtt'))).toEqual([]);
	});

	test('a translation is English, whatever is spoken', () => {
		const result = { extraFields: { language: 'english' }, isTranslated: true };
		expect(compareTranscript({ language: 'de' }, result)).toEqual([]);
	});

	test.each([null, 7, undefined])('%p instead of a language is not another one', (language) => {
		expect(compareTranscript({ language: 'de' }, { extraFields: { language } })).toEqual([]);
	});

	test('never two hints for the same field', () => {
		const result = { extraFields: { language: 'en' } };
		expect(compareTranscript({ language: 'de' }, result, {})).toEqual([]);
		expect(compareTranscript({ language: 'de' }, result)).toHaveLength(1);
	});
});

describe('images', () => {
	const png = { extension: 'png', width: 512, height: 512 };
	const compareImages = (body: object, images: object[], sentBody: object = body) =>
		describeAll(
			findDifferences('images', {
				requested: toSentFields({
					requestedFields: body as Record<string, unknown>,
					sentBody: sentBody as Record<string, unknown>,
				}),
				result: { images: images as (typeof png)[] },
			}),
		);

	test.each<[object, object[], string[]]>([
		[{ n: 3 }, [png, png], ['The server returned 2 of 3 requested images.']],
		[{ n: 1 }, [png, png], ['The server returned 2 images instead of 1.']],
		[{ n: 2 }, [png, png], []],
		[
			{ size: '256x256' },
			[png, png],
			['The server returned an image of 512x512 pixels instead of 256x256.'],
		],
		[{ size: '512x512' }, [png], []],
		[{ size: 'auto' }, [png], []],
		[{ size: '256x256' }, [{ extension: 'gif', width: undefined, height: undefined }], []],
		[
			{ output_format: 'webp' },
			[png, png],
			[
				'The server returned png instead of the requested webp. The file name shows the actual format.',
			],
		],
		[{ output_format: 'jpeg' }, [{ ...png, extension: 'jpg' }], []],
		[{}, [png], []],
	])('hints about the images for a request of %j', (body, images, hints) => {
		expect(compareImages(body, images)).toEqual(hints);
	});

	test('an option that was omitted has its hint already', () => {
		const sentBody = { size: '256x256' };
		expect(compareImages({ n: 3, ...sentBody }, [png], sentBody)).toEqual([
			'The server returned an image of 512x512 pixels instead of 256x256.',
		]);
	});
});

test.each([
	['mp3', 'mp3', 0],
	['opus', 'ogg', 0],
	['pcm', 'mp3', 1],
	['flac', 'wav', 1],
])('speech: %s requested, %s returned', (format, extension, count) => {
	const body = { response_format: format };
	expect(
		describeAll(
			findDifferences('speak', {
				requested: toSentFields({ requestedFields: body, sentBody: body }),
				result: { extension },
			}),
		),
	).toHaveLength(count);
});

test.each([
	[256, 768, 1],
	[256, 256, 0],
	[1024, 384, 1],
	[undefined, 768, 0],
	[256, undefined, 0],
])('vectors: %p dimensions requested, %p returned', (requested, dimensions, count) => {
	const body = { dimensions: requested };
	expect(
		describeAll(
			findDifferences('embed', {
				requested: toSentFields({ requestedFields: body, sentBody: body }),
				result: { dimensions },
			}),
		),
	).toHaveLength(count);
});

describe('chats and completions', () => {
	const NOTHING: ReceivedChat = { reasoning: '', hasCalls: false };
	const THOUGHT: ReceivedChat = { ...NOTHING, reasoning: 'Hm.' };
	test.each<[RequestedChat, ReceivedChat, Difference[]]>([
		[{ thinking: 'off' }, NOTHING, []],
		[{ thinking: 'off' }, { ...NOTHING, reasoning: ' \n' }, []],
		[{ thinking: 'off' }, THOUGHT, [{ kind: 'thinkingOff' }]],
		[{ thinking: 'on' }, THOUGHT, []],
		[{ thinking: 'on' }, NOTHING, [{ kind: 'thinkingOn' }]],
		[{ thinking: 'on' }, { ...NOTHING, hasCalls: true }, []],
		[{ thinking: 'on' }, { ...NOTHING, reasoningTokens: 1 }, []],
		[{ thinking: 'on' }, { ...NOTHING, reasoningTokens: 0 }, [{ kind: 'thinkingOn' }]],
		[{ thinking: 8 }, { ...THOUGHT, reasoningTokens: 72 }, []],
		[
			{ thinking: 8 },
			{ ...THOUGHT, reasoningTokens: 73 },
			[{ kind: 'thinkingBudget', requested: 8 }],
		],
		[{ maxTokens: 8 }, { ...NOTHING, completionTokens: 24 }, []],
		[{ maxTokens: 8 }, { ...NOTHING, completionTokens: 25 }, [{ kind: 'maxTokens', requested: 8 }]],
		[{ maxTokens: 8 }, NOTHING, []],
		[{}, { ...THOUGHT, completionTokens: 9_000 }, []],
	])('%j, and %j came', (requested, result, differences) => {
		expect(findDifferences('chat', { requested, result })).toEqual(differences);
		expect(findDifferences('complete', { requested, result })).toEqual(
			differences.filter(({ kind }) => kind === 'maxTokens'),
		);
	});

	test.each(Object.entries(SERVER_TEXTS))('what %s has to turn thinking off', (_name, texts) => {
		expect(describeDifference({ kind: 'thinkingOff' }, texts)).toBe(
			`The model thought, although thinking is off: its chat template or the server does not follow that setting. ${texts.thinkingOff} For gpt-oss, set a low Thinking Effort.`,
		);
		expect(texts.thinkingOff).toMatch(/^[A-Z].*\.$/);
	});
});
