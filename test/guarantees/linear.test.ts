/**
 * Functions that read text of models, tools, files or servers need time that is linear in its length: the same work is
 * done for a text and for texts of two, four and eight times its length. The texts are made of what the code itself looks
 * for: the literals of its patterns and strings.
 */
import { readFileSync } from 'node:fs';
import * as ts from 'typescript';
import { CompletionReader } from '../../lib/chat/read/completion-reader';
import { maskSecrets, omitRepetition } from '../../lib/chat/read/text-stages';
import { parseFormatCall } from '../../lib/chat/check/format-call';
import { FORMAT_TOOL_NAME } from '../../lib/chat/tools/format-tool';
import { ArgumentCoercer } from '../../lib/chat/check/argument-coercer';
import { scoreTools } from '../../lib/chat/prepare/score-tools';
import { ToolCallAccumulator } from '../../lib/chat/read/tool-call-accumulator';
import { createToolNames, toValidName } from '../../lib/chat/tools/tool-names';
import { describeUnusableTools } from '../../lib/chat/prepare/unusable-tools';
import { readTools } from '../../lib/langchain/tool-definitions';
import type { ToolList } from '../../lib/langchain/tool-definitions';
import { forgetAll } from '../../lib/kept';
import { fromRoot } from '../support/n8n/chat-model';
import { runStage } from '../support/texts/run-stage';
import type { ToJsonSchema } from '../support/n8n/tools';
import {
	createToolCallIds,
	getResponseKey,
	toServerToolCallId,
} from '../../lib/chat/tools/tool-call-ids';
import { normalizeArguments, parseArguments } from '../../lib/chat/tools/arguments';
import { stripAgentText } from '../../lib/chat/prepare/agent-text';
import { blockToText, parseToolResult, parseContentPart } from '../../lib/chat/content';
import {
	buildFormatCorrection,
	buildToolCallCorrection,
	toSafeName,
} from '../../lib/chat/check/correction';
import { findFinishFailure, parseEvent } from '../../lib/chat/read/parse-chunk';
import { fitsSchema, validateJson } from '../../lib/chat/check/validate-json';
import { isCompleteReason } from '../../lib/chat/read/judge-response';
import {
	breakTokensByForm,
	breakTurnTokens,
	createTokenBreaker,
	findTemplateTokens,
} from '../../lib/text/turn-tokens';
import { READ_REASONING_FIELD } from '../../lib/text/reasoning-field';
import { END_MARKS, getLengthBeforeEndMarks, withoutEndMarks } from '../../lib/text/end-marks';
import { decodeEntities, decodeEntitiesInSteps } from '../../lib/values/html-entities';
import { replaceInSteps } from '../../lib/values/replace-in-steps';
import { createPartialMarkFinder } from '../../lib/text/partial-marks';
import { createQuotationCheck } from '../../lib/text/calls/quotations';
import { RunawayDetector } from '../../lib/text/runaway';
import { extractJson } from '../../lib/text/extract-json';
import { parseLiteral, parseLiteralCalls, repairJson } from '../../lib/text/literals';
import {
	hasUnopenedReasoning,
	opensReasoningInPrompt,
	splitReasoning,
	SPLIT_REASONING,
	startInReasoning,
} from '../../lib/text/reasoning';
import { decideTextCalls } from '../../lib/text/calls/decide-text-calls';
import { getDisplayableLength } from '../../lib/text/calls/displayable-length';
import { findIgnoredCall, findUnreadCall, hasCallMark } from '../../lib/text/calls/unread-calls';
import { TextCursor } from '../../lib/text/calls/cursor';
import {
	countSigns as countJsonSigns,
	findDuplicateKeys,
	hasDuplicateKeys,
	splitJson,
} from '../../lib/text/json-members';
import { withoutCallMarkup } from '../../lib/text/calls/without-call-markup';
import { withoutStrayEnds } from '../../lib/text/calls/stray-ends';
import {
	blankOutCode,
	blankOutQuotedLines,
	findCodeContents,
	isInFence,
	isInOpenElement,
	unwrapCodeBlock,
	withoutOuterFence,
} from '../../lib/text/code-blocks';
import { parseAppForm } from '../../lib/dify/app-form';
import { toDifyResponseError } from '../../lib/dify/response-error';
import { toErrorType } from '../../lib/dify/error-types';
import { parseOrigins } from '../../lib/dify/download-file';
import { splitFileNames, getFileNameFromUrl, parseFileUrl } from '../../lib/dify/file-references';
import { parseOptionalUuid, parseUuid } from '../../lib/dify/ids';
import { resolveDifyBaseUrl } from '../../lib/dify/credentials';
import { parseModelRef } from '../../lib/dify/knowledge/models';
import { truncateQuery } from '../../lib/dify/knowledge/retrieval';
import { optional, quoted } from '../../lib/errors/rows/optional-facts';
import {
	describeRedirect,
	describeRedirectTarget,
	isLoopback,
} from '../../lib/errors/rows/network';
import { parseOllamaModel } from '../../lib/servers/types/ollama';
import { excerpt } from '../../lib/tasks/texts';
import { shortenText } from '../../lib/tasks/shorten-text';
import { applyEvent, createRunState } from '../../lib/dify/run/run-state';
import { classifyErrorResponse, toStreamError, namesModel } from '../../lib/errors/classify-error';
import { parseErrorBody } from '../../lib/errors/error-body';
import { mask, maskBody, maskDeep } from '../../lib/errors/mask';
import { collectSecrets, withoutSent } from '../../lib/errors/secrets';
import { findGatewayName } from '../../lib/errors/gateway-status';
import { parseHostAndPort } from '../../lib/errors/host-and-port';
import { parseRetryAfter } from '../../lib/errors/retry-after';
import { removeEchoes } from '../../lib/errors/echoes';
import { isWholeMessage, toTitle, withoutElements } from '../../lib/errors/message-title';
import { ServerError } from '../../lib/errors/server-error';
import { getTextsOfOthers } from '../../lib/chat/request-texts';
import { toRejection } from '../../lib/exchange/rejection';
import { parseFeedbackState } from '../../nodes/DifyTrigger/feedback';
import { isStatusPhrase, withoutStatusPhrase } from '../../lib/errors/status-phrase';
import { labelOptions } from '../../lib/exchange/named-options';
import { findTypeByWords } from '../../lib/errors/words';
import { findTokenCounts } from '../../lib/errors/token-counts';
import { createMaskStage } from '../../lib/errors/mask-stage';
import {
	parseMimeType,
	parseDispositionFileName,
	sanitizeFileName,
	withoutFolders,
} from '../../lib/file-name';
import { decodeInlineData, isDataUrl } from '../../lib/files/inline-data';
import {
	contradictsType,
	getAudioExtension,
	getFileType,
	decodeText,
} from '../../lib/files/file-types';
import { StreamParser } from '../../lib/http/stream-parser';
import { stringifyBody } from '../../lib/http/send-request';
import { resolveBaseUrl } from '../../lib/servers/base-url';
import { getDisplayName, isSameModelName } from '../../lib/servers/model-names';
import { parseParameterCount } from '../../lib/servers/parse-models';
import { parseMetrics } from '../../lib/servers/metrics';
import { LabelSet, lower } from '../../lib/tasks/labels';
import { getPrefixes } from '../../lib/tasks/prefixes';
import {
	joinSplitText,
	parseTranscript,
	readCutTranscript,
	stripReasoning,
	isSilentSegment,
	stripMarks,
	stripSilence,
} from '../../lib/tasks/transcript';
import { stripMarkdown } from '../../lib/tasks/plain-speech';
import { runAtOnce } from '../../lib/http/steps';
import { parseCueLine } from '../../lib/tasks/cue-times';
import { parseCutJson } from '../../lib/values/cut-json';
import { isDeepText, parseJson, parseJsonInSteps, parseObject } from '../../lib/values/json';
import { asRecord } from '../../lib/values/records';
import type { JsonRecord } from '../../lib/values/records';
import { parseExactJson, parseJsonExactly, parseJsonToSend } from '../../lib/values/exact-json';
import { JsonBrackets } from '../../lib/values/json-brackets';
import { JsonSigns } from '../../lib/values/json-signs';
import { tryOrUndefined } from '../../lib/values/try-or-undefined';
import { estimateTokens } from '../../lib/values/tokens';
import { composeText, toPlainText } from '../../lib/values/safe-text';
import { normalizeLetters, truncate, truncateMiddle, withoutEnds } from '../../lib/values/text';
import { isNightly, takeSome } from '../support/jest/properties';
import { cpuMilliseconds } from '../support/measures/cpu-time';
import {
	collectLiterals,
	findExports,
	findImports,
	findTextFunctions,
} from '../support/texts/pattern-literals';
import { SOURCES } from '../package/sources';
import { toTool } from '../support/texts/messages';

const SIZES = [1, 2, 4, 8];
/** Shorter times are noise. */
const NOISE_MS = 60;
/** Four times the length takes four times as long if linear, sixteen times if quadratic. */
const MAX_GROWTH = 9;
const MAX_TRIES = 6;
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

const KEY_WITH_SIGNS = 'sk-9f8e/7d6c+5b4a=3210';

/** Arguments as JSON text, coerced. */
function coerceText(json: string, schema: JsonRecord): string {
	return new ArgumentCoercer().coerce({ json, value: asRecord(JSON.parse(json)) }, schema).json;
}

const parsePart = (block: object) => parseContentPart({ block, origin: 'user' });

/** Functions that read a complete text. */
const READERS: Record<string, (text: string) => unknown> = {
	splitThinking: splitReasoning,
	'thinking that no tag opened': hasUnopenedReasoning,
	'calls in a text': (text) =>
		decideTextCalls({
			text,
			tools: ['a', 'get_weather'],
			isCutOff: false,
			hasEnded: true,
			findQuotation: () => undefined,
		}),
	'calls like Python': parseLiteralCalls,
	'JSON like Python': repairJson,
	'a value of JSON like Python': (text) => repairJson(`{'a': ['${text}', ${text}]}`),
	'a value of a call like Python': (text) => parseLiteralCalls(`[a(b="${text}", c=[${text}])]`),
	// Half of the text: each of its brackets may begin JSON that is read to the end.
	fittingJson: (text) => extractJson(text.slice(text.length / 2), () => ['no']),
	parseJson,
	'JSON in steps': (text) => Array.from(parseJsonInSteps(text)),
	parseObject,
	'the beginning of JSON': parseCutJson,
	exactJson: (text) => parseExactJson(text),
	'JSON to send': parseJsonToSend,
	'thinking in a field of its own': (text) => {
		const field = runStage(READ_REASONING_FIELD);
		return field.push(text) + field.end();
	},
	argumentsOf: (text) => [normalizeArguments(text), parseArguments(text)],
	'the arguments of a call': (text) =>
		coerceText(JSON.stringify({ a: text, b: [text] }), {
			properties: { a: { type: 'integer' }, b: { items: { type: 'object' } } },
		}),
	toolResult: parseToolResult,
	textOfBlock: (text) => blockToText({ text }),
	withoutAgentText: (text) => stripAgentText(text, [{ name: 'a', args: {} }]),
	withoutTurnTokens: breakTurnTokens,
	'without tokens of a template': (text) => createTokenBreaker([text.slice(0, 20)])(text),
	'without forms of tokens': breakTokensByForm,
	'tokens of a template': findTemplateTokens,
	'marks at the end': withoutEndMarks,
	'entities of HTML': decodeEntities,
	'entities of HTML in steps': (text) => Array.from(decodeEntitiesInSteps(text)),
	'matches in steps': (text) => Array.from(replaceInSteps(text, /\\./g, ([all]) => all)),
	'a mark that may begin': createPartialMarkFinder(END_MARKS),
	'a model name': opensReasoningInPrompt,
	'questions and descriptions of tools': (text) =>
		scoreTools([text], [{ name: text, description: text, schema: {}, origin: 'foreign' }]),
	'a repetition': (text) => new RunawayDetector().push(text),
	'a repetition in JSON': (text) => new RunawayDetector(true).push(`{"a":"${text}`),
	'thinking whose tag is in the prompt': (text) => splitReasoning(text, true),
	'text without calls': withoutCallMarkup,
	'ends of calls at the end': withoutStrayEnds,
	'a call that nothing reads': (text) => findUnreadCall(text, ['a', 'get_weather']),
	'marks of calls': hasCallMark,
	'text without code': blankOutCode,
	'text without quotations': blankOutQuotedLines,
	'code blocks': findCodeContents,
	'a text that is one code block': unwrapCodeBlock,
	'a text without the fence around it': withoutOuterFence,
	'members of JSON': (text) => {
		const json = JSON.stringify({ [text]: [text, { [text]: text }] });
		return [
			splitJson(json),
			hasDuplicateKeys(json, JSON.parse(json)),
			findDuplicateKeys(json),
			countJsonSigns(json, 1_000),
		];
	},
	'an object at a position': (text) => new TextCursor(text).readJson(),
	'a call next to others': (text) =>
		findIgnoredCall(text, ['a', 'get_weather'], [{ name: 'a', arguments: text }]),
	'text that can be shown': (text) => getDisplayableLength(text, { isFirst: true, hasTools: true }),
	'a code block': (text) => isInFence(text, text.length),
	'an open element': (text) => isInOpenElement(text, text.length),
	'a quotation': (text) => createQuotationCheck([text])(`{"name":"get_weather","a":"${text}"}`),
	'a call of the format tool': (text) =>
		parseFormatCall(text, [toTool({ name: FORMAT_TOOL_NAME, schema: { type: 'object' } })]),
	'a name in a correction': toSafeName,
	'a response to correct': (text) => buildFormatCorrection(text, [text]),
	'data of an event': (text) => tryOrUndefined(() => parseEvent(text)),
	'a body of an error': parseErrorBody,
	'a message of an error': (text) => findTypeByWords(text, 503),
	'a message that repeats the request': (text) => removeEchoes(text, [text.slice(50)]),
	'the option that a message names': (text) =>
		labelOptions(
			new ServerError({ type: 'badRequest', sentence: 'No', serverText: text }),
			{ rows: [{ field: 'top_k', label: 'Top K', canOmit: true }] },
			{ body: { top_k: 1 }, textsOfOthers: [text.slice(0, 50)] },
		),
	'numbers of tokens': findTokenCounts,
	'a header that names a gateway': (text) => findGatewayName(502, { server: text }),
	'the title of an error': toTitle,
	'a composed sentence': composeText,
	'an error without its elements': withoutElements,
	'a whole message': (text) => isWholeMessage(text, text),
	'the name of a model in a message': (text) => namesModel(text, 'a-model'),
	'the phrase of a status': (text) => [isStatusPhrase(text), withoutStatusPhrase(text)],
	'a label before a title': (text) =>
		new ServerError({ type: 'badRequest', inputWords: { title: text, suggestion: '' } }).withField(
			text,
		),
	'secrets in headers': (text) => collectSecrets({ authorization: text }),
	'a host and a port': (text) => tryOrUndefined(() => parseHostAndPort(text)),
	'the name of a model': (text) => [
		parseParameterCount(text),
		getDisplayName(text),
		isSameModelName(text, `${text}:latest`),
	],
	'words that were split': joinSplitText,
	'a value like Python': parseLiteral,
	'a mark at the end': getLengthBeforeEndMarks,
	'signs of JSON': (text) => {
		const signs = new JsonSigns();
		let at = -1;
		while (at < text.length) at = signs.next(text, at + 1);
	},
	'brackets of JSON': (text) => [new JsonBrackets().read(text), new JsonBrackets().readAll(text)],
	'depth of JSON': isDeepText,
	'exact JSON': parseJsonExactly,
	'JSON for a schema': (text) =>
		validateJson(
			{ text, isCutOff: false },
			{ type: 'jsonSchema', name: 'a', schema: { type: 'object' } },
		),
	'JSON that may be the answer': (text) =>
		fitsSchema(text, { type: 'jsonSchema', schema: { type: 'object' } }),
	'a reason why a response ended': (text) => [findFinishFailure(text), isCompleteReason(text)],
	'IDs of calls': (text) => [
		createToolCallIds([text]),
		toServerToolCallId({ id: text, name: 'get_weather' }),
		getResponseKey(text),
	],
	'the name of a tool': toValidName,
	'a call to correct': (text) =>
		buildToolCallCorrection({
			text,
			calls: [{ name: text, arguments: text }],
			issues: [],
			tools: [],
		}),
	'a text above a limit': (text) => [
		[
			...shortenText(
				text,
				() =>
					new ServerError({
						type: 'badRequest',
						inputWords: { title: '', suggestion: '' },
						serverText: text,
					}),
			),
		],
		excerpt(text),
		lower(text),
	],
	'the type of a sound': getAudioExtension,
	'a redirect': (text) => [
		describeRedirect({ url: text, location: text }),
		describeRedirectTarget(text),
		isLoopback(text),
	],
	'a fact of an error': (text) => [quoted(text), optional('', text)],
	'addresses of Dify': (text) => [
		tryOrUndefined(() => resolveDifyBaseUrl(`http://${text}`)),
		tryOrUndefined(() => parseFileUrl(`http://${text}`)),
		tryOrUndefined(() => parseOrigins(text)),
	],
	'names of Dify': (text) => [
		tryOrUndefined(() => parseUuid(text, 'ID')),
		tryOrUndefined(() => parseOptionalUuid(text, 'ID')),
		tryOrUndefined(() => parseModelRef(text)),
		truncateQuery(text),
	],
	'a model of Ollama': (text) => parseOllamaModel(text, {}),
	'an address of an image': (url) =>
		tryOrUndefined(() => parsePart({ type: 'image_url', image_url: url })),
	'data of an image': (data) => tryOrUndefined(() => parsePart({ type: 'image', data })),
	'a data URL': (data) =>
		tryOrUndefined(() => parsePart({ type: 'file', data: `data:text/plain,${data}` })),
	'an event of a stream': (text) => new CompletionReader().push(text),
	'an event that is too large': (text) => new CompletionReader().pushBeginning(text),
	'a text of a stream': (text) => {
		const reader = new CompletionReader({ callableNames: ['a'], mayStartInReasoning: true });
		reader.push(JSON.stringify({ choices: [{ delta: { content: text } }] }));
	},
	'an error response': (text) => classifyErrorResponse({ status: 500, body: text }, {}),
	'an error response in JSON': (text) =>
		classifyErrorResponse({ status: 400, body: JSON.stringify({ detail: text }) }, {}),
	failureInStream: (text) =>
		toStreamError(
			classifyErrorResponse({ status: 200, body: JSON.stringify({ error: text }) }, {}),
		),
	retryAfterMs: (text) => parseRetryAfter(text),
	mask: (text) => mask(text, ['secret-key-1234567']),
	'mask a key with signs': (text) => mask(text, [KEY_WITH_SIGNS]),
	'mask a body with a key with signs': (text) =>
		maskBody(JSON.stringify({ a: text, b: KEY_WITH_SIGNS }), [KEY_WITH_SIGNS]),
	maskDeep: (text) => maskDeep({ [text]: text }, ['secret-key-1234567']),
	withoutSent: (text) => withoutSent(['secret-key-1234567'], { a: [text] }),
	maskBody: (text) =>
		maskBody(JSON.stringify({ a: text, b: 'secret-key-1234567' }), ['secret-key-1234567']),
	'a message of Dify': (message) => toErrorType({ message }),
	'an error response of Dify': (text) =>
		toDifyResponseError({ ...DIFY, text: JSON.stringify({ code: 'c', message: text }) }, DIFY),
	fileNames: splitFileNames,
	nameInUrl: getFileNameFromUrl,
	plainFileName: (text) => sanitizeFileName(text, 'file'),
	'a file name without its folders': withoutFolders,
	nameInDisposition: (text) => parseDispositionFileName(`attachment; filename=${text}`),
	mimeTypeIn: parseMimeType,
	declaredType: (text) => getFileType(Buffer.of(), text),
	'the contradiction of a type': (text) => [
		contradictsType(Buffer.from(text), 'image/png'),
		contradictsType(Buffer.of(...Buffer.alloc(8)), `image/${text}`),
	],
	fileTypeOf: (text) => getFileType(Buffer.from(text), 'text/plain'),
	'binary data as text': (text) => [isDataUrl(text), decodeInlineData(text)],
	'data of a data URL': (text) => decodeInlineData(`data:${text};base64,${text}`),
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
	'a text to speak': stripMarkdown,
	'a transcript': (text) => runAtOnce(parseTranscript(text, 'text')),
	'marks of a transcript': stripMarks,
	'times of a subtitle': parseCueLine,
	'thinking of a transcript': stripReasoning,
	'silence of a transcript': (text) => [isSilentSegment(text), stripSilence(text)],
	'a transcript in JSON': (text) => runAtOnce(parseTranscript(JSON.stringify({ text }), 'json')),
	'the beginning of a transcript': (text) => [
		readCutTranscript(text),
		readCutTranscript(JSON.stringify({ text })),
	],
	subtitles: (text) => parseTranscript(`WEBVTT\n\n00:00.000 --> 00:01.000\n${text}`, 'vtt'),
	lettersOf: normalizeLetters,
	plainText: toPlainText,
	shortened: (text) => [truncate(text, 100), truncateMiddle(text, 100)],
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
	'\\u002B',
	'\\x2f',
	'\\053',
	'&#43;',
	'%u002B',
	'===\n',
	'=\r\n',
	'sk-9f8e/7d6c',
	'sk-9f8e/7d6c+5b4a=3210 ',
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
/** `npm test` takes every tenth of these pieces for a reader, and others for the next. */
const SHARE = 10;
const readers = Object.keys(READERS);
const around = (piece: string, length: number) => [
	piece.repeat(length / piece.length),
	`{${piece.repeat(length / piece.length)}\0`,
	`a${piece.repeat(length / piece.length)}a`,
];

test.each(Object.entries(READERS))(
	'the time of %s is linear in the length of the text',
	(name, read) => {
		const slow = takeSome(REPEATED, readers.indexOf(name), SHARE).find((piece) => {
			const work = (size: number) => around(piece, size * LENGTH).forEach(read);
			return measureGrowth(work) >= MAX_GROWTH;
		});
		expect(slow).toBeUndefined();
	},
);

/** Characters of generated texts: as many as the time of a reader allows. */
const MIN_LENGTH = 4_000;
const MAX_LENGTH = 200_000;
/** CPU time of a reader for all generated texts, if it reads them as fast as plain text. */
const CPU_MS = isNightly ? 40 : 20;
/** A text that takes this many times as long as most others of its length may be slow, if it takes some time at all. */
const SUSPICIOUS_SHARE = 4;
const SUSPICIOUS_MS = 0.5;
/** Characters of the shortest text whose growth is measured, and most texts for which it is, the slowest first. */
const GROWTH_LENGTH = isNightly ? 50_000 : 12_000;
const MAX_MEASURED = isNightly ? 6 : 2;
/** Most literals that are paired: those with the most signs. Each is paired with all others. */
const MAX_PAIRED = isNightly ? 45 : 12;

const SENTENCE = 'some words of a text, ';
const fill = (piece: string, length: number) => piece.repeat(Math.ceil(length / piece.length));

/** A way to make a text of any length. */
interface Recipe {
	name: string;
	make(length: number): string;
}

const isMark = (text: string) => text.length > 1 && /[^\w\s]/.test(text);

/** Recipes of one literal: repeated, in parts, before text or blanks, and as an opening without its end. */
function toRecipes(literal: string): Recipe[] {
	const half = Math.ceil(literal.length / 2);
	const [begin, end] = [literal.slice(0, half), literal.slice(half)];
	const recipes: Array<[string, (length: number) => string]> = [
		['repeated', (length) => fill(literal, length)],
		['repeated in a text', (length) => fill(`${literal}${SENTENCE}`, length)],
		['repeated in lines', (length) => fill(`${literal}\n`, length)],
		['before blanks, repeated', (length) => fill(`${literal}${' '.repeat(30)}`, length)],
		['once, before a text', (length) => literal + fill(SENTENCE, length)],
		['once, before blanks', (length) => `${literal}${fill(' \n', length)}a`],
		['repeated in a bracket', (length) => `{${fill(literal, length)}\0`],
		['its first half repeated', (length) => fill(begin, length)],
		['its halves in turn', (length) => fill(begin, length / 2) + fill(end || begin, length / 2)],
	];
	return recipes
		.slice(0, isMark(literal) ? undefined : 1)
		.map(([name, make]) => ({ name: `${JSON.stringify(literal)} ${name}`, make }));
}

/** Each literal in turn with each other one. */
function toPairRecipes(literals: readonly string[]): Recipe[] {
	return literals.flatMap((a) =>
		literals
			.filter((b) => b !== a)
			.map((b) => ({
				name: `${JSON.stringify(a)} and ${JSON.stringify(b)} in turn`,
				make: (length: number) => fill(a + b, length),
			})),
	);
}

const countSigns = (text: string) => text.replace(/[\w\s]+/g, '').length;

/** Literals that may be marks, those with the most signs first. */
function selectPaired(literals: readonly string[]) {
	return literals
		.filter(isMark)
		.toSorted((a, b) => countSigns(b) - countSigns(a))
		.slice(0, MAX_PAIRED);
}

/** All that `lib` exports. */
const EXPORTS = SOURCES.filter((file) => file.startsWith('lib')).flatMap(findExports);

/** The names that the readers of the tables use, by the name of the reader. */
function findUsedNames(): Map<string, Set<string>> {
	const file = 'test/guarantees/linear.test.ts';
	const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest);
	const namesByReader = new Map<string, Set<string>>();
	const collect = (node: ts.Node, names: Set<string>): void => {
		if (ts.isIdentifier(node)) names.add(node.text);
		ts.forEachChild(node, (child) => collect(child, names));
	};
	const visit = (node: ts.Node): void => {
		const isTable =
			ts.isVariableDeclaration(node) &&
			ts.isIdentifier(node.name) &&
			['READERS', 'STREAMS'].includes(node.name.text);
		if (!isTable || !node.initializer || !ts.isObjectLiteralExpression(node.initializer)) {
			ts.forEachChild(node, visit);
			return;
		}
		for (const property of node.initializer.properties) {
			const names = new Set<string>();
			collect(property, names);
			const { name } = property;
			if (name && (ts.isIdentifier(name) || ts.isStringLiteral(name)))
				namesByReader.set(name.text, names);
		}
	};
	visit(source);
	return namesByReader;
}

const USED_NAMES = findUsedNames();

const literalsByFile = new Map<string, string[]>();
function getLiterals(file: string) {
	const literals = literalsByFile.get(file) ?? collectLiterals(file);
	literalsByFile.set(file, literals);
	return literals;
}

/** Readers that pass all of a text on to other files. */
const COMPOSED = ['CompletionReader', 'applyEvent'];
/** Files of their folders that pass it on, too. */
const PARTS = /^lib\/chat\/read\/(?:completion-accumulator|text-stages)\.ts$/;

function toPart(file: string): string[] {
	return PARTS.test(file) ? [file, ...findImports(file)] : [file];
}

/** What a reader looks for: the literals of the files of its functions, and the marks at the end if it reads output of models. */
function collectReaderLiterals(reader: string) {
	const names = USED_NAMES.get(reader) ?? new Set();
	const files = new Set(
		EXPORTS.filter(({ name }) => names.has(name)).flatMap(({ name, file }) =>
			COMPOSED.includes(name) ? [file, ...findImports(file).flatMap(toPart)] : [file],
		),
	);
	return {
		own: [...new Set([...files].filter((file) => file !== TOKENS_FILE).flatMap(getLiterals))],
		marks: [...files].some((file) => file.startsWith('lib/text')) ? END_MARKS : [],
	};
}
const TOKENS_FILE = 'lib/text/turn-tokens.ts';

/** The length at which a reader reads so many texts in time. */
function chooseLength(read: (text: string) => unknown, count: number) {
	const text = fill(SENTENCE, 32_000);
	const times = [1, 2, 3].map(() => cpuMilliseconds(() => read(text)));
	const perCharacter = Math.max(1e-7, Math.min(...times) / text.length);
	const length = CPU_MS / (Math.max(1, count) * perCharacter);
	return Math.round(Math.min(Math.max(length, MIN_LENGTH), MAX_LENGTH));
}

/**
 * The recipe at which the time of a reader grows with the square of the length; undefined if there is none. All texts are
 * read once; the growth is measured for the slow ones only.
 */
function findSlowRecipe(read: (text: string) => unknown, recipes: readonly Recipe[]) {
	let length = chooseLength(read, recipes.length);
	let [spent, allowed] = [0, 3 * CPU_MS];
	const measured = recipes.map((recipe) => {
		const text = recipe.make(length);
		const time = cpuMilliseconds(() => read(text));
		const result = { recipe, time, length, perCharacter: time / length };
		spent += time;
		if (spent > allowed) {
			length = Math.max(MIN_LENGTH, length / 2);
			allowed *= 2;
		}
		return result;
	});
	const sorted = measured.toSorted((a, b) => b.perCharacter - a.perCharacter);
	const median = sorted[sorted.length >> 1]?.perCharacter ?? 0;
	return sorted
		.filter(
			({ time, perCharacter }) => time > SUSPICIOUS_MS && perCharacter > SUSPICIOUS_SHARE * median,
		)
		.slice(0, MAX_MEASURED)
		.filter(({ recipe, length: short }) => mayGrow(read, recipe, short))
		.find(
			({ recipe }) =>
				measureGrowth((size) => void read(recipe.make(size * GROWTH_LENGTH))) >= MAX_GROWTH,
		)?.recipe;
}

/** Whether four times the length takes more than six times as long, at a glance. */
function mayGrow(read: (text: string) => unknown, { make }: Recipe, length: number) {
	const [short, long] = [make(length), make(4 * length)];
	const times = [1, 2].map(() => cpuMilliseconds(() => read(short)));
	return cpuMilliseconds(() => read(long)) > 6 * Math.min(...times);
}

test.each(Object.entries(READERS))('%s: texts of the literals of its code', (name, read) => {
	const { own, marks } = collectReaderLiterals(name);
	const markRecipes = marks.flatMap((mark) => toRecipes(mark).slice(0, 2));
	const slow = [
		findSlowRecipe(
			read,
			takeSome([...own.flatMap(toRecipes), ...markRecipes], readers.indexOf(name)),
		),
		findSlowRecipe(read, toPairRecipes(selectPaired(own))),
	];
	expect(slow.map((recipe) => recipe?.name)).toEqual([undefined, undefined]);
});

/** Functions of texts that no reader has, by the reason. */
const EXCEPTIONS: Record<string, readonly string[]> = {
	'the texts are names, or texts of this package': [
		'findList',
		'getValueByName',
		'toEndTag',
		'toAlternatives',
		'createInputError',
		'assertSchemaSize',
		'createSchemaError',
		'assertDepth',
		'describeGatewayTimeout',
		'fitsEnding',
		'fitsMimeType',
		'isBinaryEnding',
		'describeDocument',
		'isTextType',
		'cleanResponseFormat',
		'getOwn',
		'setOwn',
		'isThinkingOmitted',
		'toPromptRow',
		'needsModel',
		'needsOtherServer',
		'sortForChat',
		'suggestModels',
		'join',
		'toAlternative',
	],
	'the texts are kept or passed on as they are': [
		'estimateUsage',
		'DisplayedText.new',
		'withSubtitles',
		'getUnsafeNumberWarnings',
	],
	'it is a part of reading a call, and reads from a place; calls in a text have readers': [
		'readLiteralCallsAt',
		'findBlockMark',
		'readLiteralAt',
		'TextCursor.startsWith',
		'TextCursor.skip',
		'TextCursor.readUntil',
		'parseJsonCall',
		'findArgumentsProblem',
		'toCandidates',
		'getClosingMark',
		'getBlockEnd',
		'readNamedCall',
		'readTextCalls',
		'readQuotedCalls',
		'hasBeginning',
		'findBeginnings',
	],
	'it is a part of reading a response, which has readers': [
		'CompletionAccumulator.push',
		'CompletionAccumulator.readBeginning',
	],
	'the texts are marks, whose patterns limit their length': [
		'isBlockMark',
		'isOtherMark',
		'namesOnlyATool',
		'isBareToken',
	],
	'it is a part of masking, which has readers': [
		'findSecrets',
		'containsSecret',
		'replaceRanges',
		'maskPartial',
	],
	'it measures a text, and cuts it': ['assertTextLength', 'findLengthProblem', 'cutText'],
	'it looks at the beginning of a text': ['hasUnknownWavLength', 'getImageSize', 'withWavLength'],
	'it has a reader under another name, or the schema of the user': ['countSigns', 'cleanSchema'],
	'the text is of an error, which has readers': [
		'describeError',
		'withPeriod',
		'hasEnd',
		'toOwnerChatText',
		'createTextError',
	],
	'it reads a file of limited size, with its own tests': [
		'readMail',
		'readFile',
		'getJpegWarnings',
	],
};

test('each function that takes a text has a reader, or is an exception', () => {
	const names = new Set([...USED_NAMES.values()].flatMap((used) => [...used]));
	const hasReader = (name: string) =>
		name.split('.').every((part) => part === 'new' || names.has(part));
	const exceptions = Object.values(EXCEPTIONS).flat();
	const functions = SOURCES.flatMap(findTextFunctions).filter(
		({ name, file }) => READING.test(file) || (SENDING.test(file) && PARSES.test(name)),
	);
	const missing = functions.filter(({ name }) => !hasReader(name) && !exceptions.includes(name));
	expect(missing.map(({ name, file }) => `${file}: ${name}`)).toEqual([]);
	const known = functions.map(({ name }) => name);
	expect(exceptions.filter((name) => !known.includes(name) || hasReader(name))).toEqual([]);
});

/** Files whose functions read texts of others. */
const READING = /^lib\/(?:text|files|errors|chat|tasks|values|file-name)\b/;
/** Files of which most functions send texts of the user; those that read others begin with such a verb. */
const SENDING = /^lib\/(?:dify|servers|http)\b/;
const PARSES = /^(?:parse|split|explain|truncate|resolve|decode|strip)/;

/** Pieces of the shortest response. */
const PIECES = 2_000;
const times = <T>(count: number, make: (index: number) => T) =>
	Array.from({ length: count }, (_, index) => make(index));
const chunk = (delta: object) =>
	JSON.stringify({ choices: [{ index: 0, delta, finish_reason: null }] });
const WORDS = 'some words of a text, '.repeat(5);
const streamDeltas = (
	options: ConstructorParameters<typeof CompletionReader>[0],
	deltas: object[],
) => {
	const reader = new CompletionReader(options);
	for (const delta of deltas) reader.push(chunk(delta));
	reader.end();
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

const { z } = fromRoot('zod') as {
	z: { object(shape: object): unknown; enum(choices: string[]): unknown; string(): unknown };
};
const { getParametersJsonSchema } = fromRoot('@n8n/ai-node-sdk') as {
	getParametersJsonSchema: ToJsonSchema;
};
const bind = (...tools: object[]) => {
	forgetAll();
	return runAtOnce<ToolList>(readTools(tools, getParametersJsonSchema));
};
const makeRecord = (count: number, make: (at: number) => unknown) =>
	Object.fromEntries(times(count, (at) => [`field${at}`, make(at)]));

/** What an agent binds, and what an app defines. What is beyond a limit ends early, and everything else is linear. */
const DEFINITIONS: Record<string, (count: number) => void> = {
	'a schema of n8n with many fields': (count) =>
		void bind({ name: 'a', schema: z.object(makeRecord(count, () => z.string())) }),
	'a schema of n8n with many choices': (count) =>
		void bind({ name: 'a', schema: z.object({ a: z.enum(times(10 * count, String)) }) }),
	'a JSON schema with many fields': (count) =>
		void bind({ name: 'a', schema: { properties: makeRecord(10 * count, () => ({})) } }),
	'a JSON schema with many choices': (count) =>
		void bind({ name: 'a', schema: { enum: times(10 * count, String) } }),
	'a JSON schema of many levels': (count) => {
		let schema: object = {};
		for (let level = 0; level < 10 * count; level++) schema = { items: schema };
		bind({ name: 'a', schema });
	},
	'a JSON schema with many references': (count) =>
		void bind({
			name: 'a',
			schema: { $defs: { a: {} }, properties: makeRecord(count, () => ({ $ref: '#/$defs/a' })) },
		}),
	'alternatives that double': (count) => {
		let schema: object = {};
		for (let level = 0; level < count; level++) schema = { allOf: [schema, schema] };
		bind({ name: 'a', schema });
	},
	'many tools': (count) => void bind(...times(count, (at) => ({ name: `t${at}`, schema: {} }))),
	'many tools with the same valid name': (count) =>
		void createToolNames(
			times(count, (at) => toTool({ name: `${'ü'.repeat(70)}${at}`, schema: {} })),
		),
	'texts of others in a long conversation': (count) =>
		void getTextsOfOthers({
			messages: times(count, (at) => ({
				role: 'user',
				content: [{ type: 'text', text: `word ${at}`, origin: 'user' }],
			})),
			tools: times(count, (at) => toTool({ name: `t${at}`, schema: {} })),
		}),
	'a rejection with many fields, each in a list': (count) => {
		const names = times(count, (at) => `field_${at}`);
		const rejection = toRejection({
			error: new ServerError({
				type: 'badRequest',
				sentence: 'No',
				serverText: names.map((name) => `['${name}'] is not supported; `).join(''),
			}),
			body: Object.fromEntries(names.map((name) => [name, 1])),
			textsOfOthers: [],
			isRepeated: false,
		});
		rejection.getNamesBeside(names.at(-1)!);
	},
	'the stored state of a trigger with many ratings': (count) =>
		void parseFeedbackState({ known: makeRecord(10 * count, String) }),
	'a form of Dify with many fields': (count) =>
		void parseAppForm({
			user_input_form: times(10 * count, (at) => ({
				select: { variable: `v${at}`, options: ['a', 'b'] },
			})),
		}),
	'the hint about many tools that cannot be offered': (count) =>
		void describeUnusableTools(
			times(10 * count, (at) => ({ name: `t${at}`.repeat(100), problem: 'fields' as const })),
		),
};

test.each(Object.entries(DEFINITIONS))('%s, by the number of its parts', (_name, read) => {
	expect(measureGrowth((size) => read(size * PIECES))).toBeLessThan(MAX_GROWTH);
});

/** Functions that read a streamed response, by its number of chunks. */
const STREAMS: Record<string, (count: number) => void> = {
	'arguments of a call in small deltas': (count) => {
		const calls = new ToolCallAccumulator();
		calls.add([{ index: 0, id: 'a', function: { name: 'a', arguments: '{"a":"' } }]);
		for (let at = 0; at < 10 * count; at++)
			calls.add([{ index: 0, function: { arguments: `word ${at} ` } }]);
	},
	'reasoning whose opening tag was not sent': (count) => {
		const splitter = runStage(SPLIT_REASONING, startInReasoning(true));
		for (const piece of times(count, () => WORDS)) splitter.push(piece);
	},
	'thinking in many parts': (count) => {
		const splitter = runStage(SPLIT_REASONING);
		for (const piece of times(20, () =>
			'<|channel|>analysis<|message|>a<|end|>'.repeat(count / 20),
		))
			splitter.push(piece);
	},
	'a text that may contain a secret': (count) => {
		const stream = runStage(createMaskStage(['secret-key-123456789']));
		for (const piece of times(count, () => `${WORDS}secret-key-1234`)) stream.push(piece);
	},
	'text and thinking that may contain a secret': (count) => {
		const stage = runStage(maskSecrets(['secret-key-123456789']));
		for (const piece of times(count, () => `${WORDS}secret-key-1234`))
			stage.push({ text: piece, reasoning: piece });
	},
	'an attempt that repeats an earlier one': (count) => {
		const stage = runStage(omitRepetition([WORDS.repeat(count)]));
		for (const text of times(count, () => WORDS)) stage.push({ text, reasoning: '' });
		stage.end();
	},
	'escapes of a key with signs': (count) => {
		const stream = runStage(createMaskStage([KEY_WITH_SIGNS]));
		const escapes = ['\\', '\\/', '\\u002B', '%2f', '===\n', '&#43;', 'sk-9f8e'];
		for (let at = 0; at < 5 * count; at++) stream.push(escapes[at % escapes.length]!.repeat(7));
	},
	'the beginning of a secret, and its escapes': (count) => {
		const stream = runStage(createMaskStage(['secret-key-123456789']));
		for (const piece of times(10 * count, (at) => '\\u0073%5C='.charAt(at % 9))) stream.push(piece);
	},
	'a word without blanks, and a key as long': (count) => {
		const stream = runStage(createMaskStage([`k${'9'.repeat(count)}`]));
		for (const piece of times(10 * count, () => 'abcd')) stream.push(piece);
	},
	'blanks before a text': (count) => {
		const splitter = runStage(SPLIT_REASONING);
		for (const piece of times(count, () => ' '.repeat(100))) splitter.push(piece);
	},
	'a text that is not displayed': (count) =>
		streamDeltas(
			inReasoning,
			times(count, () => ({ content: WORDS })),
		),
	'a text with tools': (count) =>
		streamDeltas(
			{ callableNames: ['a'] },
			times(count, () => ({ content: `${WORDS}<` })),
		),
	'a possible tool call': (count) =>
		streamDeltas(
			{ callableNames: ['a'] },
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
	'lines that lack their `data: `': (count) =>
		parseBytes(new StreamParser('events', 1e8), [
			'data: {}\n\n',
			...times(count, () => `{"a":"${WORDS}"}\n\n`),
		]),
	'a document that blanks follow': (count) =>
		parseBytes(
			new StreamParser('events', 1e8),
			['{}', ...times(count, () => ' '.repeat(100))],
			true,
		),
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
		void coerceText(JSON.stringify({ list: times(count, () => 'text') }), {
			properties: { list: { items: { anyOf: times(count, () => ({ type: 'integer' })) } } },
		}),
	'omitted fields of a schema': (count) => {
		const names = times(count, (index) => `field${index}`);
		const properties = Object.fromEntries(names.map((name) => [name, { type: 'integer' }]));
		const args = Object.fromEntries(names.map((name) => [name, null]));
		coerceText(JSON.stringify(args), { properties, required: names });
	},
	'a list of numbers that JavaScript cannot represent': (count) =>
		void parseExactJson(`[${'90071992547409931,'.repeat(20 * count)}0]`),
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
