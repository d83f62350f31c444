/**
 * Chooses the labels of a text. The model writes one character per label, constrained to these characters if the server
 * supports it, so a response has one or two tokens. The confidence comes from their probabilities.
 */
import { CompletionAccumulator } from '../chat/read/completion-accumulator';
import { readStream } from '../chat/read/read-stream';
import { createCompletionError } from '../chat/check/completion-error';
import { toOpenAiBody } from '../chat/body/openai-body';
import { hasMedia, getText } from '../chat/content';
import { prepareMessages } from '../chat/prepare/prepare-messages';
import { addUsage } from '../chat/read/usage';
import { getContextWarnings, toOllamaBody } from '../chat/body/ollama-body';
import { toOpenAiChunk } from '../chat/read/ollama-chunk';
import { assertCapabilities } from '../chat/prepare/capabilities';
import { enforceStrictRoles } from '../chat/body/strict-roles';
import type {
	ChatMessage,
	ChatSettings,
	InputMessage,
	CompletionRequest,
	Usage,
} from '../chat/types';
import type { ErrorType } from '../errors/error-types';
import { createInputError } from '../errors/create-error';
import type { HttpResponse } from '../http/types';
import { getProfile } from '../servers/profile';
import { assertModelName } from '../servers/models';
import type { Adaptation } from '../exchange/adaptations';
import { adjustOllamaThinking, omitFields } from '../exchange/adaptations';
import { getRoutes } from '../exchange/routes';
import type { ModelServer, ServerType, ServerTypeName } from '../servers/types/server-type';
import { getTruncationWarnings } from '../servers/truncation';
import { breakControlTokens } from '../text/control-tokens';
import { asFiniteNumber, maxOf, minOf } from '../values/numbers';
import { truncate } from '../values/text';
import { withContextSuggestion } from '../chat/suggestions';
import type { Label } from './labels';
import { LabelSet, lower, MAX_LABELS } from './labels';
import type { TaskSettings } from './run-task';
import { runTask } from './run-task';

interface ClassifyRequest {
	/** Text and files of the item. */
	input: InputMessage;
	labels: readonly Label[];
	/** Whether a text may have several labels. */
	isMultiLabel: boolean;
	/** Whether a text may have no label. */
	allowNone: boolean;
	/** Context for the model; may be empty. */
	instructions: string;
}

export type Classification = Awaited<ReturnType<typeof classify>>;

type ClassifySettings = TaskSettings & Pick<ChatSettings, 'parameters'>;

/** What all requests for a text have in common. */
interface LabelQuery {
	server: ModelServer;
	serverType: ServerType;
	settings: ClassifySettings;
	/** The labels, and the label for none of them. */
	options: LabelSet;
}

/** Sends at most two requests. Throws a `ServerError`. */
export async function classify(
	server: ModelServer,
	settings: ClassifySettings,
	request: ClassifyRequest,
): Promise<
	| {
			usage: Usage | undefined;
			model: string | undefined;
			/** Undefined if the server was not recognized. */
			server: ServerTypeName | undefined;
			warnings: string[];
			labels: never[];
			unmatchedText: string;
			/** Probability of each label, by its index. */
			scores?: undefined;
			/** Probability that no label matches, if that is allowed. */
			noneScore?: undefined;
			/** From 0 to 1; with several labels, the lowest one. */
			confidence?: undefined;
	  }
	| {
			usage: Usage | undefined;
			model: string | undefined;
			/** Undefined if the server was not recognized. */
			server: ServerTypeName | undefined;
			warnings: string[];
			labels: number[];
			unmatchedText?: undefined;
			/** Probability of each label, by its index. */
			scores?: undefined;
			/** Probability that no label matches, if that is allowed. */
			noneScore?: undefined;
			/** From 0 to 1; with several labels, the lowest one. */
			confidence?: undefined;
	  }
	| {
			usage: Usage | undefined;
			model: string | undefined;
			/** Undefined if the server was not recognized. */
			server: ServerTypeName | undefined;
			warnings: string[];
			/** Indexes of the labels in the list, most likely first. Empty if no label matches. */
			labels: number[];
			/** Probability of each label, by its index. */
			scores: number[];
			/** Probability that no label matches, if that is allowed. */
			noneScore: number | undefined;
			/** From 0 to 1; with several labels, the lowest one. */
			confidence: number | undefined;
			unmatchedText?: undefined;
	  }
> {
	const { labels, allowNone, isMultiLabel } = request;
	const labelIssue = findLabelIssue(labels, allowNone ? MAX_LABELS - 1 : MAX_LABELS);
	if (labelIssue !== undefined)
		throw createInputError(labelIssue, 'Correct the labels in the node.');
	assertModelName(settings.model);
	const { signal } = settings;
	const serverType = await getProfile(server).getType(signal);
	const allLabels = allowNone ? [...labels, createNoneLabel(labels)] : labels;
	const options = new LabelSet(allLabels, isMultiLabel);
	const query = { server, serverType, settings, options };
	const chat = { ...settings, ...PLAIN, timeouts: {}, retries: 0 };
	const { messages } = prepareMessages(buildMessages(request, options), chat);
	const chatContext = { server, serverType, settings: chat, chatRequest: { messages: [], signal } };
	await assertCapabilities(chatContext, messages, undefined);
	const tokens = TOKENS_PER_LABEL * (isMultiLabel ? allLabels.length + 1 : 2);
	const { completion, warnings } = await requestLabels(query, { messages, tokens });
	const { usage, model } = completion;
	return {
		...toResult(completion, request, options),
		usage,
		model,
		/** Undefined if the server was not recognized. */
		server: getProfile(server).getRecognizedName(),
		warnings: [...getContextWarnings(serverType, server, settings), ...warnings],
	};
}

/** What differs between the first request and its correction. */
interface LabelDraft {
	messages: readonly ChatMessage[];
	tokens: number;
	/** The completion without a label, if this corrects it. */
	first?: LabelCompletion;
}

type LabelCompletion = Awaited<ReturnType<typeof readLabelCompletion>>;

const PLAIN = { thinkingHistory: 'never', showThinking: false } as const;
/** Enough for a character, its quotes and the end token. */
const TOKENS_PER_LABEL = 3;
/** Without constraints: enough for a name in a sentence. */
const FREE_TOKENS = 64;
/** For a model that thinks although it should not. */
const THINKING_TOKENS = 2048;
/** The maximum of OpenAI's API. */
const TOP_LOGPROBS = 20;
/** 2,048 tokens with the probabilities of 20 others are about 4 MB. */
const MAX_RESPONSE_BYTES = 8 * 1024 * 1024;

const INSTRUCTION = 'Decide which of these categories the text of the user belongs to.';

/** The shared part comes first, for the server's prompt cache. The text comes last. */
function buildMessages(request: ClassifyRequest, options: LabelSet) {
	const { instructions, isMultiLabel, allowNone, input } = request;
	const { keys } = options;
	const multiLabelInstruction = `Answer with the letters of the categories only, separated by commas, for example ${keys.slice(0, 2).join(',')}.`;
	const noneInstruction = allowNone ? ` Answer ${keys.at(-1)} if none fits.` : '';
	const system = [
		isMultiLabel ? `${INSTRUCTION} It may be several.` : INSTRUCTION,
		options.format(),
		instructions.trim(),
		isMultiLabel
			? multiLabelInstruction + noneInstruction
			: 'Answer with the letter of the category only.',
	];
	return [
		{ type: 'system' as const, content: system.filter((line) => line !== '').join('\n') },
		input,
	];
}
/** Characters. Servers that ignore the token limit write far more, which would not fit into the next prompt. */
const MAX_REPEATED = 500;

async function requestLabels(
	{ server, serverType, settings, options }: LabelQuery,
	draft: LabelDraft,
) {
	const { model, parameters } = settings;
	const result = await runTask(server, settings, {
		routes: getRoutes(serverType, 'chat'),
		draft,
		toBody: (route, { messages, tokens }) => {
			const constrained: CompletionRequest = {
				model,
				messages,
				tools: [],
				parameters: {
					maxTokens: tokens,
					...parameters,
					// A grammar costs a token less than a schema, whose responses have quotes.
					responseFormat:
						serverType.compilesSchemas === 'formatsAndTools'
							? { type: 'grammar', grammar: options.toGrammar() }
							: { type: 'jsonSchema', name: 'category', schema: options.toSchema() },
					thinking: { mode: 'off' },
					extraBody: {
						stream: false,
						logprobs: true,
						top_logprobs: TOP_LOGPROBS,
						...parameters.extraBody,
					},
				},
			};
			return route === 'ollamaChat'
				? { truncate: false, ...toOllamaBody(constrained) }
				: toOpenAiBody(constrained, serverType);
		},
		extraBody: parameters.extraBody,
		operation: 'chat',
		adaptations: {
			field: [adjustOllamaThinking],
			format: [omitConstraints(parameters.maxTokens === undefined ? FREE_TOKENS : 0)],
			conversation: [enforceStrictRoles],
		},
		isIdempotent: true,
		maxBytes: MAX_RESPONSE_BYTES,
		read: async (response) => await readLabelCompletion(response, options),
		correct: (completion, { messages, first }): LabelDraft | undefined => {
			if (first || completion.labels) return undefined;
			// A model that thinks although it should not may have used up its tokens.
			if (completion.isTruncated && parameters.maxTokens !== undefined) return undefined;
			if (completion.isTruncated) return { messages, tokens: THINKING_TOKENS, first: completion };
			const answer = breakControlTokens(truncate(completion.text, MAX_REPEATED));
			const content = `That is not a valid response. Write one of these letters and nothing else: ${options.keys.join(', ')}`;
			return {
				messages: [...messages, { role: 'assistant', content: answer }, { role: 'user', content }],
				tokens: FREE_TOKENS,
				first: completion,
			};
		},
		explain: async (error) =>
			await withContextSuggestion(error, { server, serverType, model }, 'Or shorten the text.'),
		getUsage: ({ usage }) => usage ?? {},
	});
	const { value } = result;
	const { messages, first } = result.draft;
	const texts = messages.map(({ content }) => getText(content));
	const processedTokens = messages.some(hasMedia) ? undefined : value.usage?.promptTokens;
	const truncation = await getTruncationWarnings(server, { texts, processedTokens, model });
	return {
		completion: { ...value, usage: addUsage(first?.usage, value.usage) },
		warnings:
			truncation.length > 0 ? truncation : result.warnings.filter((text) => !/logprobs/.test(text)),
	};
}

/** The label may be in the reasoning if the text is empty. */
async function readLabelCompletion(response: HttpResponse, options: LabelSet) {
	const accumulator = new CompletionAccumulator({
		mayStartInReasoning: true,
		keepsLogprobs: true,
		decode: (event) => ('choices' in event ? event : toOpenAiChunk(event)),
	});
	const { completion } = await readStream(response, accumulator, {
		maxEventLength: MAX_RESPONSE_BYTES,
	});
	const { text, reasoning, finishReason, usage, model, logprobs, failure } = completion;
	if (text === '' && failure && !EMPTY_ERRORS.has(failure.errorType))
		throw createCompletionError(failure, response.errorContext);
	const output = text.trim() ? text : reasoning;
	return {
		text: output,
		/** Undefined without a label. */
		labels: options.parse(output),
		isTruncated: finishReason === 'length',
		logprobs,
		usage,
		model,
	};
}

/** Errors of a response without a label, which the model may correct. */
const EMPTY_ERRORS: ReadonlySet<ErrorType> = new Set(['emptyResponse', 'onlyThinking']);

const CONSTRAINTS = [
	'response_format',
	'grammar',
	'format',
	'logprobs',
	'top_logprobs',
	'chat_template_kwargs',
];

/** With the prompt alone, most models still write only the letters. */
const omitConstraints =
	(minTokens: number): Adaptation =>
	(rejection, requestBody) => {
		const matches = rejection.matches(/schema|grammar|structured|format|logprobs/gi);
		const isUnconstrained = !CONSTRAINTS.some((name) => name in requestBody);
		if (matches.length === 0 || isUnconstrained) return undefined;
		const { name, apply } = omitFields(CONSTRAINTS);
		return {
			name,
			apply: (body) => {
				const changed = apply(body);
				const tokens = asFiniteNumber(changed.max_tokens);
				return tokens === undefined
					? changed
					: { ...changed, max_tokens: Math.max(tokens, minTokens) };
			},
		};
	};

function toResult(
	{ text, labels: textLabels, logprobs }: LabelCompletion,
	{ labels: { length: count }, isMultiLabel, allowNone }: ClassifyRequest,
	options: LabelSet,
) {
	// The text names no label.
	if (!textLabels) return { labels: [], unmatchedText: text.trim() };
	const scoreLists = options.computeScores(logprobs, text, textLabels);
	const labels = textLabels.filter((at) => at < count);
	if (!scoreLists) return { labels };
	const used = isMultiLabel ? scoreLists : scoreLists.slice(0, 1);
	// With several labels, each gets its highest probability over all tokens.
	const allScores = options.keys.map((_key, at) => maxOf(used.map((list) => list[at] ?? 0)));
	const scores = allScores.slice(0, count);
	const noneScore = allowNone ? allScores[count] : undefined;
	const minScore = minOf(labels.map((at) => scores[at]!));
	return {
		/** Indexes of the labels in the list, most likely first. Empty if no label matches. */
		labels: isMultiLabel ? labels.sort((a, b) => scores[b]! - scores[a]!) : labels,
		/** Probability of each label, by its index. */
		scores,
		/** Probability that no label matches, if that is allowed. */
		noneScore,
		/** From 0 to 1; with several labels, the lowest one. */
		confidence: labels.length === 0 ? noneScore : minScore,
	};
}

/** Label for none of the others, with a unique name. */
function createNoneLabel(labels: readonly Label[]): Label {
	const isTaken = labels.some(({ name }) => lower(name) === 'none');
	return { name: isTaken ? 'none of these' : 'none', description: 'None of the others fits' };
}

function findLabelIssue(labels: readonly Label[], max: number) {
	const names = labels.map(({ name }) => lower(name));
	if (labels.length === 0) return 'The list of labels is empty';
	if (labels.length > max) return `There are ${labels.length} labels (maximum ${max})`;
	if (names.includes('')) return 'A label has no name';
	const index = names.findIndex((name, at) => names.indexOf(name) < at);
	if (index < 0) return undefined;
	return `The label "${labels[index]!.name}" is duplicated (case and spaces are ignored)`;
}
