/**
 * Decides which label fits a text. The model writes one character per label, held to these characters where the server
 * can, so an answer costs one or two tokens. The confidence comes from the probabilities of these tokens.
 */
import { CompletionAccumulator } from '../chat/completion-accumulator';
import { type CompletionRequest, toOpenAiBody } from '../chat/openai-body';
import { hasMedia, getText, breakControlTokens } from '../chat/content';
import { prepareMessages } from '../chat/convert-messages';
import { addUsage } from '../chat/usage';
import { toOpenAiChunk, hintOnContext, toOllamaBody } from '../chat/ollama-body';
import { assertValidParameters } from '../chat/parameters';
import { assertCapabilities } from '../chat/completion-request';
import { enforceStrictRoles } from '../chat/strict-roles';
import type { ChatMessage, ChatParameters, ChatSettings, Usage } from '../chat/types';
import { createInputError } from '../errors/create-error';
import { captureError } from '../errors/server-error';
import { parseObject } from '../json';
import { assertModelName } from '../servers/model-names';
import { type Adaptation, adjustOllamaThinking, omitRejectedField } from '../servers/adaptations';
import { getRecognizedTypeName, getServerType } from '../servers/types';
import type { ModelServer, ServerType } from '../servers/types/server-type';
import { getTruncationWarnings } from '../servers/truncation';
import {
	pushAll,
	type JsonRecord,
	maxOf,
	omitUndefined,
	asRecord,
	asRecords,
	truncate,
	minOf,
} from '../values';
import { withContextSuggestion } from '../chat/suggestions';
import { parseTokenSizes } from './batches';
import { computeLabelScores } from './label-scores';
import {
	assignKeys,
	type Label,
	buildLabelGrammar,
	formatLabels,
	buildLabelSchema,
	lower,
	MAX_LABELS,
} from './labels';
import { parseLabels } from './parse-labels';
import { runTask, type TaskSettings } from './run-task';

interface ClassifyRequest {
	/** The text and the files of the item, in the form of OpenAI. */
	blocks: readonly object[];
	labels: readonly Label[];
	/** Whether several labels may apply. */
	isMultiLabel: boolean;
	/** Whether it may be that no label applies. */
	allowNone: boolean;
	/** What kind of texts these are, and what matters; may be empty. */
	instructions: string;
}

export interface Classification {
	/** Indexes of the labels in the list, the likeliest first. Empty where no label fits. */
	labels: number[];
	/** Probability of each label, by its index; undefined where the server sends no probabilities. */
	scores?: number[];
	/** Probability that no label fits, where that is allowed. */
	noneScore?: number;
	/** From 0 to 1; with several labels, that of the least certain one. */
	confidence?: number;
	/** The model's text, if it names no label. */
	unmatchedText?: string;
	usage?: Usage;
	model?: string;
	/** Left out where nothing told it. */
	server?: string;
	warnings: string[];
}

type ClassifySettings = TaskSettings & Pick<ChatSettings, 'parameters'>;

/** What the model wrote. */
interface LabelCompletion {
	text: string;
	isTruncated: boolean;
	usage?: Usage;
	model?: string;
	/** In the form of OpenAI's `logprobs.content`. */
	logprobs: JsonRecord[];
}

/** Everything but the messages stays the same in both tries. */
interface LabelQuery {
	server: ModelServer;
	kind: ServerType;
	settings: ClassifySettings;
	/** The labels, and the one for none of them. */
	options: readonly Label[];
	several: boolean;
	hints: string[];
}

/** Asks the model at most twice. @throws {ServerError} */
export async function classify(
	server: ModelServer,
	settings: ClassifySettings,
	request: ClassifyRequest,
): Promise<Classification> {
	const { labels, allowNone, isMultiLabel } = request;
	assertValidLabels(labels, allowNone ? MAX_LABELS - 1 : MAX_LABELS);
	assertModelName(settings.model);
	assertValidParameters(settings.parameters);
	const { signal } = settings;
	const serverType = await getServerType(server, signal);
	const options = allowNone ? [...labels, labelForNone(labels)] : labels;
	const hints = hintOnContext(serverType, server, settings);
	const question: LabelQuery = {
		server,
		kind: serverType,
		settings,
		options,
		several: isMultiLabel,
		hints,
	};
	const chat = { ...settings, ...PLAIN, timeouts: {}, retries: 0 };
	const { messages } = prepareMessages(buildMessages(request, options), chat);
	const chatRequest = { messages: [], ...omitUndefined({ signal }) };
	await assertCapabilities(
		{ server, serverType, settings: chat, chatRequest },
		messages,
		undefined,
	);
	const first = await requestLabels(
		question,
		messages,
		TOKENS_PER_LABEL * (isMultiLabel ? options.length + 1 : 2),
	);
	const found = parseLabels(first.text, options, isMultiLabel);
	if (found !== undefined) return resultOf(question, first, found, labels.length);
	// A model that thinks although it should not may have used up its tokens.
	if (first.isTruncated && settings.parameters.maxTokens !== undefined)
		return toUnmatched(question, first);
	const second = first.isTruncated
		? await requestLabels(question, messages, THINKING_TOKENS)
		: await requestLabels(question, [...messages, ...correction(first, options)], FREE_TOKENS);
	const answer = { ...second, ...omitUndefined({ usage: addUsage(first.usage, second.usage) }) };
	const better = parseLabels(second.text, options, isMultiLabel);
	if (better === undefined) return toUnmatched(question, answer);
	return resultOf(question, answer, better, labels.length);
}

const PLAIN = { thinkingHistory: 'off', showThinking: false } as const;
/** Enough for a character, its quotes and the end. */
const TOKENS_PER_LABEL = 3;
/** Without constraints: enough for a name in a sentence. */
const FREE_TOKENS = 64;
/** For a model that thinks although it should not. */
const THINKING_TOKENS = 2048;
/** The maximum of OpenAI's API. */
const TOP_LOGPROBS = 20;
/** 2,048 tokens with the probabilities of 20 others are about 4 MB. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

const QUESTION = 'Decide which of these categories the text of the user belongs to.';

/** The part that all texts share comes first, so that the server's prompt cache works. The text comes last. */
function buildMessages(request: ClassifyRequest, options: readonly Label[]) {
	const { instructions, isMultiLabel, allowNone, blocks } = request;
	const keys = assignKeys(options);
	const ofSeveral = `Answer with the letters of the categories only, separated by commas, for example ${keys.slice(0, 2).join(',')}.`;
	const ifNone = allowNone ? ` Answer ${keys.at(-1)} if none fits.` : '';
	const system = [
		isMultiLabel ? `${QUESTION} It may be several.` : QUESTION,
		formatLabels(options),
		instructions.trim(),
		isMultiLabel ? ofSeveral + ifNone : 'Answer with the letter of the category only.',
	];
	const [only] = blocks as Array<{ type?: string; text?: string }>;
	const isText = blocks.length === 1 && only?.type === 'text';
	return [
		{ type: 'system' as const, content: system.filter((line) => line !== '').join('\n') },
		{ type: 'human' as const, content: isText ? only.text : blocks },
	];
}

/** A server that ignores the limit of tokens writes far more than a label, which would not fit into the next prompt. */
const MAX_REPEATED = 500;

/** The beginning of the answer that named no label, and a request to correct it. */
function correction({ text }: LabelCompletion, options: readonly Label[]): ChatMessage[] {
	const content = `That is no answer. Write one of these letters and nothing else: ${assignKeys(options).join(', ')}`;
	return [
		{ role: 'assistant', content: breakControlTokens(truncate(text, MAX_REPEATED)) },
		{ role: 'user', content },
	];
}

async function requestLabels(
	question: LabelQuery,
	messages: readonly ChatMessage[],
	tokens: number,
): Promise<LabelCompletion> {
	const { server, kind: serverType, settings, options, several, hints } = question;
	const { model, parameters, ...common } = settings;
	const extraBody = parameters.extraBody ?? {};
	const keys = assignKeys(options);
	const body = (more: ChatParameters): CompletionRequest => ({
		...{ model: model.trim(), messages, tools: [] },
		parameters: {
			...{ maxTokens: tokens, ...parameters, ...more },
			extraBody: { stream: false, ...more.extraBody, ...extraBody },
		},
	});
	// A grammar costs a token less than a schema, whose answers have quotes.
	const responseFormat =
		serverType.compilesSchemas === 'formatsAndTools'
			? { type: 'grammar' as const, grammar: buildLabelGrammar(keys, several) }
			: { type: 'jsonSchema' as const, name: 'category', schema: buildLabelSchema(keys, several) };
	const constrained = body({
		responseFormat,
		thinking: { mode: 'off' },
		extraBody: { logprobs: true, top_logprobs: TOP_LOGPROBS },
	});
	const own =
		serverType.nativeApi === undefined
			? undefined
			: { ...toOllamaBody(constrained), truncate: false };
	const { value, notes } = await runTask(
		server,
		{ ...common, model: model.trim() },
		{
			route: (sent) =>
				'think' in sent ? `${server.url.root}/api/chat` : `${server.url.api}/chat/completions`,
			body: own ?? toOpenAiBody(constrained, serverType),
			extraBody,
			operation: 'chat',
			adaptations: [
				useOpenAiRoute(toOpenAiBody(constrained, serverType)),
				enforceStrictRoles,
				omitRejectedField(new Set(Object.keys(extraBody))),
				withoutConstraints(parameters.maxTokens ?? Math.max(tokens, FREE_TOKENS)),
				adjustOllamaThinking,
			],
			isIdempotent: true,
			maxBytes: MAX_ANSWER_BYTES,
			read: async (answer, refused) => {
				const reader = new CompletionAccumulator({
					mayStartInReasoning: true,
					decode: (event) => ('choices' in event ? event : toOpenAiChunk(event)),
				});
				const logprobs: JsonRecord[] = [];
				const received: string[] = [];
				for await (const events of answer.events())
					for (const data of events) {
						reader.push(data);
						received.push(data);
						pushAll(logprobs, parseLogprobs(parseObject(data) ?? {}));
					}
				const end = reader.end(answer.getNonEventLines());
				return { ...toLabelCompletion(end, () => refused(received.join('\n'))), logprobs };
			},
			getUsage: ({ usage }) => usage ?? {},
		},
	).catch(async (error: unknown) => {
		const refusal = captureError(error).failed;
		throw await withContextSuggestion(
			refusal,
			{ server, serverType, model, tokens: parseTokenSizes(refusal)?.tokens },
			'Or shorten the text.',
		);
	});
	const texts = messages.map(({ content }) => getText(content));
	const read = messages.some(hasMedia) ? undefined : value.usage?.promptTokens;
	const [hint] = await getTruncationWarnings(server, { texts, processedTokens: read, model });
	pushAll(hints, hint === undefined ? notes.filter((note) => !/logprobs/.test(note)) : [hint]);
	return value;
}

/** A label may stand in the thinking, beside an empty text. */
function toLabelCompletion(
	end: ReturnType<CompletionAccumulator['end']>,
	refused: () => Error,
): Omit<LabelCompletion, 'logprobs'> {
	const answer = 'answer' in end ? end.answer : end.failure;
	const isUsable = !('type' in answer) || answer.type === 'onlyThinking';
	if (!isUsable && answer.text === '' && answer.type !== 'emptyResponse') throw refused();
	return {
		text: answer.text.trim() === '' ? answer.reasoning : answer.text,
		isTruncated: answer.finishReason === 'length',
		...omitUndefined({ usage: answer.usage, model: 'model' in answer ? answer.model : undefined }),
	};
}

/** Those of OpenAI's API, and of Ollama's. */
function parseLogprobs({ choices, logprobs }: JsonRecord): JsonRecord[] {
	const [choice] = asRecords(choices);
	return asRecords(choice === undefined ? logprobs : asRecord(choice.logprobs).content);
}

/** A gateway may pass on the routes of OpenAI's API only. */
const useOpenAiRoute =
	(body: JsonRecord): Adaptation =>
	({ type }, sent) =>
		type === 'routeNotFound' && 'think' in sent
			? { name: 'by the route of OpenAI', apply: () => body }
			: undefined;

const CONSTRAINTS: ReadonlySet<string> = new Set([
	'response_format',
	'grammar',
	'format',
	'logprobs',
	'top_logprobs',
	'chat_template_kwargs',
]);

/** The prompt alone holds most models to the letters. */
const withoutConstraints =
	(tokens: number): Adaptation =>
	(refusal, sent) => {
		const words = refusal.matches(/schema|grammar|structured|format|logprobs/gi);
		const isFree = !Object.keys(sent).some((name) => CONSTRAINTS.has(name));
		if (words.length === 0 || isFree) return undefined;
		const apply = (body: JsonRecord) => {
			const kept = Object.entries(body).filter(([name]) => !CONSTRAINTS.has(name));
			const limit = 'max_tokens' in body ? { max_tokens: tokens } : {};
			return { ...Object.fromEntries(kept), ...limit };
		};
		return { name: 'without constraints', apply };
	};

function toUnmatched(
	{ server, hints: warnings }: LabelQuery,
	answer: LabelCompletion,
): Classification {
	return { labels: [], unmatchedText: answer.text.trim(), ...servedBy(server, answer), warnings };
}

function servedBy(server: ModelServer, { usage, model }: LabelCompletion) {
	return omitUndefined({ usage, model, server: getRecognizedTypeName(server) });
}

/** @param count of the labels without the one for none of them */
function resultOf(
	{ server, options, several, hints: warnings }: LabelQuery,
	answer: LabelCompletion,
	found: readonly number[],
	count: number,
): Classification {
	const said = { text: answer.text, labels: found };
	const lists = computeLabelScores(answer.logprobs, assignKeys(options), said);
	const fitting = found.filter((at) => at < count);
	const result = { labels: fitting, ...servedBy(server, answer), warnings };
	if (lists === undefined) return result;
	const used = several ? lists : lists.slice(0, 1);
	// With several labels, each gets its highest probability over all tokens.
	const best = (at: number) => maxOf(used.map((list) => list[at] ?? 0));
	const scores = options.slice(0, count).map((_label, at) => best(at));
	const noneScore = options.length > count ? best(count) : undefined;
	const least = minOf(fitting.map((at) => scores[at]!));
	return {
		...result,
		labels: several ? fitting.sort((one, other) => scores[other]! - scores[one]!) : fitting,
		scores,
		...omitUndefined({ noneScore, confidence: fitting.length === 0 ? noneScore : least }),
	};
}

/** The label for none of the others, under a name that no other has. */
function labelForNone(labels: readonly Label[]): Label {
	const isTaken = labels.some(({ name }) => lower(name) === 'none');
	return { name: isTaken ? 'none of these' : 'none', description: 'None of the others fits' };
}

/** @throws {ServerError} of kind `invalidInput` for labels that are empty, too many, or equal */
function assertValidLabels(labels: readonly Label[], most: number): void {
	const problem = problemOf(labels, most);
	if (problem !== undefined) throw createInputError(problem, 'Correct the labels in the node.');
}

function problemOf(labels: readonly Label[], most: number): string | undefined {
	const names = labels.map(({ name }) => lower(name));
	if (labels.length === 0) return 'The list of labels is empty';
	if (labels.length > most) return `There are ${labels.length} labels (maximum ${most})`;
	if (names.includes('')) return 'A label has no name';
	const index = names.findIndex((name, at) => names.indexOf(name) < at);
	if (index < 0) return undefined;
	return `The label "${labels[index]!.name}" is duplicated (case and spaces are ignored)`;
}
