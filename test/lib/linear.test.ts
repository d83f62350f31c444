/**
 * Functions that read text of models, tools, files or servers need time that is linear in its length: the same work is
 * done for a text and for texts of two, four and eight times its length.
 */
import { CompletionAccumulator } from '../../lib/chat/completion-accumulator';
import { ArgumentCoercer } from '../../lib/chat/check-tool-calls';
import { normalizeArguments, ToolCallAccumulator } from '../../lib/chat/tool-calls';
import { stripAgentText } from '../../lib/chat/convert-messages';
import { blockToText, parseToolResult, parseContentPart } from '../../lib/chat/content';
import { extractJson } from '../../lib/text/extract-json';
import { parseLiteralCalls, repairJson } from '../../lib/text/literals';
import { hasUnopenedReasoning, splitReasoning, ReasoningSplitter } from '../../lib/text/reasoning';
import { parseTextToolCalls } from '../../lib/text/text-tool-calls';
import { toDifyResponseError } from '../../lib/dify/errors';
import { toErrorType } from '../../lib/dify/error-types';
import { splitFileNames, getFileNameFromUrl } from '../../lib/dify/files';
import { applyEvent, createRunState } from '../../lib/dify/run/run-state';
import {
	classifyErrorResponse,
	classifyStreamError,
	parseRetryAfter,
} from '../../lib/errors/classify-error';
import { mask, maskBody, maskDeep } from '../../lib/errors/mask';
import { MaskedStream } from '../../lib/errors/masked-stream';
import { getUnquotedStart, isUnquoted } from '../../lib/errors/signals';
import { parseMimeType, parseDispositionFileName, sanitizeFileName } from '../../lib/file-name';
import { getFileType, decodeText } from '../../lib/files/file-types';
import { StreamParser } from '../../lib/http/response-body';
import { stringifyBody } from '../../lib/http/send-request';
import { resolveBaseUrl } from '../../lib/servers/base-url';
import { parseMetrics } from '../../lib/servers/models';
import { LabelSet } from '../../lib/tasks/labels';
import { getPrefixes } from '../../lib/tasks/embed';
import { stripMarkdown as spokenText } from '../../lib/tasks/synthesize-speech';
import { parseTranscript } from '../../lib/tasks/transcribe';
import {
	normalizeLetters,
	toPlainText,
	tryOrUndefined,
	truncate,
	withoutEnds,
	breakControlTokens,
	estimateTokens,
	parseExactJson,
	parseJson,
	parseObject,
} from '../../lib/values';
import { cpuMilliseconds } from '../support/cpu-time';

const SIZES = [1, 2, 4, 8];
/** Shorter times are noise. */
const NOISE_MS = 60;
/** Four times the length takes four times as long if linear, sixteen times if quadratic. */
const MAX_GROWTH = 9;
const MAX_TRIES = 3;
/** Far above the linear time of the smallest size on a busy machine, so that a test fails early. */
const MAX_MS = 500;

/** The growth from twice to eight times the size, in the best of several tries: other work only adds time. */
function measureGrowth(work: (size: number) => void): number {
	const best = SIZES.map(() => Infinity);
	for (let tries = 0; tries < MAX_TRIES; tries++) {
		for (const [index, size] of SIZES.entries()) {
			const time = Math.min(
				best[index]!,
				cpuMilliseconds(() => work(size)),
			);
			best[index] = time;
			if (time > MAX_MS * size) return Infinity;
			// What grows with the third power of the length is noise even at the largest size.
			if (time * (8 / size) ** 3 < NOISE_MS) return 0;
			// A quadratic part that is so small does not reach the limit at eight times the size either.
			if (size === 4 && time < 2.6 * best[1]!) return 0;
		}
		if (best[3]! < MAX_GROWTH * best[1]!) return 0;
	}
	return best[3]! / best[1]!;
}

/** Characters of the shortest text. */
const LENGTH = 2_000;
const DIFY = { url: 'http://dify/v1/chat-messages', status: 400, headers: {} };
const LABELS = ['billing', 'sales'].map((name) => ({ name }));

/** Functions that read a complete text. */
const READERS: Record<string, (text: string) => unknown> = {
	splitThinking: splitReasoning,
	'thinking that no tag opened': hasUnopenedReasoning,
	'calls in a text': (text) => parseTextToolCalls(text, ['a', 'get_weather'], () => false),
	'calls like Python': parseLiteralCalls,
	'JSON like Python': repairJson,
	'a value of JSON like Python': (text) => repairJson(`{'a': ['${text}', ${text}]}`),
	'a value of a call like Python': (text) => parseLiteralCalls(`[a(b="${text}", c=[${text}])]`),
	// Half of the text: each of its brackets may begin JSON that is read to the end.
	fittingJson: (text) => extractJson(text.slice(text.length / 2), () => ['no']),
	parseJson,
	parseObject,
	exactJson: (text) => parseExactJson(text),
	argumentsOf: normalizeArguments,
	'the arguments of a call': (text) =>
		new ArgumentCoercer().coerce(JSON.stringify({ a: text, b: [text] }), {
			properties: { a: { type: 'integer' }, b: { items: { type: 'object' } } },
		}),
	toolResult: parseToolResult,
	textOfBlock: (text) => blockToText({ text }),
	withoutAgentText: (text) => stripAgentText(text, [{ name: 'a', args: {} }]),
	withoutControlTokens: breakControlTokens,
	'an address of an image': (url) =>
		tryOrUndefined(() => parseContentPart({ type: 'image_url', image_url: url })),
	'data of an image': (data) => tryOrUndefined(() => parseContentPart({ type: 'image', data })),
	'a data URL': (data) =>
		tryOrUndefined(() => parseContentPart({ type: 'file', data: `data:text/plain,${data}` })),
	'an event of a stream': (text) => new CompletionAccumulator().push(text),
	'a text of a stream': (text) => {
		const reader = new CompletionAccumulator({ offeredTools: ['a'], mayStartInReasoning: true });
		reader.push(JSON.stringify({ choices: [{ delta: { content: text } }] }));
	},
	'an error response': (text) => classifyErrorResponse({ status: 500, body: text }, {}),
	'an error response in JSON': (text) =>
		classifyErrorResponse({ status: 400, body: JSON.stringify({ detail: text }) }, {}),
	failureInStream: (text) => classifyStreamError(JSON.stringify({ error: text })),
	retryAfterMs: (text) => parseRetryAfter(text),
	mask: (text) => mask(text, ['secret-key-1234567']),
	maskDeep: (text) => maskDeep({ [text]: text }, ['secret-key-1234567']),
	maskBody: (text) =>
		maskBody(JSON.stringify({ a: text, b: 'secret-key-1234567' }), ['secret-key-1234567']),
	'the beginning of a message in its own words': getUnquotedStart,
	'a field in a message': (text) => isUnquoted(text, text.length),
	'a message of Dify': (message) => toErrorType({ message }),
	'an error response of Dify': (text) =>
		toDifyResponseError({ ...DIFY, text: JSON.stringify({ code: 'c', message: text }) }, DIFY),
	fileNames: splitFileNames,
	nameInUrl: getFileNameFromUrl,
	plainFileName: (text) => sanitizeFileName(text, 'file'),
	nameInDisposition: (text) => parseDispositionFileName(`attachment; filename=${text}`),
	mimeTypeIn: parseMimeType,
	declaredType: (text) => getFileType(Buffer.of(), text),
	fileTypeOf: (text) => getFileType(Buffer.from(text), 'text/plain'),
	textOfBytes: (text) => decodeText(Buffer.from(text, 'latin1')),
	jsonBody: (text) => stringifyBody({ text: `${text}\ud800` }),
	resolveBaseUrl: (text) => tryOrUndefined(() => resolveBaseUrl(`http://${text}:x`)),
	metricsOf: parseMetrics,
	estimateTokens,
	'the token of a label': (token) =>
		new LabelSet(LABELS, true).computeScores(
			[{ token, top_logprobs: [{ token }, { token }] }],
			token,
			[0],
		),
	labelsIn: (text) => new LabelSet(LABELS, true).parse(text),
	prefixesOf: getPrefixes,
	'a text to speak': spokenText,
	'a transcript': (text) => parseTranscript(text, 'text'),
	'a transcript in JSON': (text) => parseTranscript(JSON.stringify({ text }), 'json'),
	subtitles: (text) => parseTranscript(`WEBVTT\n\n00:00.000 --> 00:01.000\n${text}`, 'vtt'),
	lettersOf: normalizeLetters,
	plainText: toPlainText,
	shortened: (text) => truncate(text, 100),
	withoutEnds: (text) => withoutEnds(text, /[\s."]/),
};

/** Texts that make patterns slow: each is repeated, between other characters, so that nothing matches its end. */
const REPEATED = [
	' ',
	'\n',
	'\r\n',
	'\t',
	'.',
	',',
	'-',
	'_',
	'=',
	'1',
	'a',
	'中',
	'\\',
	'"',
	'\\"',
	"'",
	'`',
	'```\n',
	'*',
	'**a ',
	'~~a ',
	'__a',
	'[',
	']',
	'{',
	'}',
	'{"a":',
	'{"a":[',
	'(',
	'](',
	'![a',
	'[a](',
	'<',
	'</',
	'<a',
	'<script ',
	'<think>',
	'</think',
	'<|',
	'&lt;',
	'&#',
	'%20',
	'=3D',
	'a.',
	'a: ',
	'a{\n',
	'data:',
	', ',
	'; ',
	': ',
	'] ',
	'{} ',
	'[]]',
	'://',
	'http://a,',
	'?',
	'#',
	'@',
	'e5-',
	'\\/',
	'\\u00',
	'\\u002F',
	'%2f',
	'%252F',
	'&#x2F;',
	'&#x0',
	'secret-key-1',
	'secret-key-1234567',
	'c2VjcmV0LWtleS0xMjM0NTY3 ',
	'YzJWamNtVjBMV3RsZVMweE1qTTBOVFkz',
	'Error: ',
	"'a' ",
	'filename=',
	'language a ',
	'[ ',
	'1:',
	'00:00.000 --> ',
	'>',
	'x 1\n',
];
const around = (piece: string, length: number) => [
	piece.repeat(length / piece.length),
	`{${piece.repeat(length / piece.length)}\0`,
	`a${piece.repeat(length / piece.length)}a`,
];

test.each(Object.entries(READERS))('%s', (_name, read) => {
	const slow = REPEATED.find((piece) => {
		const work = (size: number) => around(piece, size * LENGTH).forEach(read);
		return measureGrowth(work) >= MAX_GROWTH;
	});
	expect(slow).toBeUndefined();
});

/** Pieces of the shortest response. */
const PIECES = 2_000;
const times = <T>(count: number, make: (index: number) => T) =>
	Array.from({ length: count }, (_, index) => make(index));
const chunk = (delta: object) =>
	JSON.stringify({ choices: [{ index: 0, delta, finish_reason: null }] });
const WORDS = 'some words of a text, '.repeat(5);
const streamDeltas = (
	options: ConstructorParameters<typeof CompletionAccumulator>[0],
	deltas: object[],
) => {
	const accumulator = new CompletionAccumulator(options);
	for (const delta of deltas) accumulator.push(chunk(delta));
	accumulator.end();
};
const inReasoning = { mayStartInReasoning: true };
const toToolCallDelta = (toolCall: object) => ({ tool_calls: [toolCall] });
const parseBytes = (parser: StreamParser, chunks: string[], checksEnd = false) => {
	for (const text of chunks) {
		parser.push(Buffer.from(text));
		if (checksEnd) parser.hasEnded();
	}
	parser.end();
};
const run = (events: object[], options = {}) => {
	const state = createRunState(options);
	for (const event of events) applyEvent(state, event);
};

/** Functions that read a streamed response, by its number of chunks. */
const STREAMS: Record<string, (count: number) => void> = {
	'reasoning whose opening tag was not sent': (count) => {
		const splitter = new ReasoningSplitter(true);
		for (const piece of times(count, () => WORDS)) splitter.push(piece);
	},
	'a text that may contain a secret': (count) => {
		const stream = new MaskedStream(['secret-key-1234567']);
		for (const piece of times(count, () => `${WORDS}secret-key-1234`)) stream.push(piece);
	},
	'the beginning of a secret, and its escapes': (count) => {
		const stream = new MaskedStream(['secret-key-1234567']);
		for (const piece of times(10 * count, (at) => '\\u0073%5C='.charAt(at % 9))) stream.push(piece);
	},
	'blanks before a text': (count) => {
		const splitter = new ReasoningSplitter();
		for (const piece of times(count, () => ' '.repeat(100))) splitter.push(piece);
	},
	'a text that is not displayed': (count) =>
		streamDeltas(
			inReasoning,
			times(count, () => ({ content: WORDS })),
		),
	'a text with tools': (count) =>
		streamDeltas(
			{ offeredTools: ['a'] },
			times(count, () => ({ content: `${WORDS}<` })),
		),
	'a possible tool call': (count) =>
		streamDeltas(
			{ offeredTools: ['a'] },
			times(count, () => ({ content: `<tool_call>${WORDS}` })),
		),
	thinking: (count) =>
		streamDeltas(
			inReasoning,
			times(count, () => ({ reasoning_content: WORDS })),
		),
	arguments: (count) =>
		streamDeltas(
			{},
			times(count, () => toToolCallDelta({ index: 0, function: { name: 'a', arguments: WORDS } })),
		),
	'calls by their IDs': (count) => {
		const assembly = new ToolCallAccumulator();
		for (const id of times(count, (index) => `call-${index % 900}`))
			assembly.add([{ id, function: { name: 'a', arguments: WORDS } }]);
	},
	'a line that does not end': (count) =>
		parseBytes(new StreamParser('events', 1e8), ['data: ', ...times(count, () => WORDS)]),
	'an event that does not end': (count) =>
		parseBytes(
			new StreamParser('events', 1e8),
			times(count, () => `data: ${WORDS}\n`),
		),
	'a line of JSON that does not end': (count) =>
		parseBytes(new StreamParser('lines', 1e8), ['{"a":"', ...times(count, () => WORDS)]),
	'a body of JSON that does not end': (count) =>
		parseBytes(
			new StreamParser('events', 1e8),
			['{"a":[', ...times(count, () => '{"a":"b"}, {"a":"b"}')],
			true,
		),
	'a body that is not JSON': (count) =>
		parseBytes(new StreamParser('events', 1e8), ['{"a"}', ...times(count, () => WORDS)], true),
	'an HTML page': (count) =>
		parseBytes(new StreamParser('events', 1e8), ['<html>', ...times(count, () => WORDS)], true),
	'chunks of a workflow': (count) =>
		run(times(count, () => ({ event: 'text_chunk', data: { text: WORDS } }))),
	'messages of a chatflow': (count) =>
		run(times(count, () => ({ event: 'message', answer: WORDS }))),
	'replaced beginnings of a response': (count) =>
		run(
			times(count, (index) =>
				index % 2 === 0
					? { event: 'message', answer: WORDS }
					: { event: 'message_replace', answer: WORDS },
			),
			{ mayLackText: true },
		),
	'reasoning of Dify': (count) =>
		run(times(count, () => ({ event: 'reasoning_chunk', data: { reasoning: WORDS } }))),
	'texts for a schema of many branches': (count) =>
		void new ArgumentCoercer().coerce(JSON.stringify({ list: times(count, () => 'text') }), {
			properties: { list: { items: { anyOf: times(count, () => ({ type: 'integer' })) } } },
		}),
	'omitted fields of a schema': (count) => {
		const names = times(count, (index) => `field${index}`);
		const properties = Object.fromEntries(names.map((name) => [name, { type: 'integer' }]));
		const args = Object.fromEntries(names.map((name) => [name, null]));
		new ArgumentCoercer().coerce(JSON.stringify(args), { properties, required: names });
	},
	'nested lists': (count) => void parseJson('['.repeat(100 * count) + ']'.repeat(100 * count)),
};

test.each(Object.entries(STREAMS))('%s in chunks', (_name, read) => {
	expect(measureGrowth((size) => read(size * PIECES))).toBeLessThan(MAX_GROWTH);
});

test('JSON that is nested too deeply is not parsed', () => {
	const lists = '['.repeat(500_000) + ']'.repeat(500_000);
	const parse = jest.spyOn(JSON, 'parse');
	expect(parseJson(lists)).toBeUndefined();
	expect(parse).not.toHaveBeenCalled();
	parse.mockRestore();
});
