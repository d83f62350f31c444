/** The requests of a classification: their messages, and the fields that constrain a response to labels. */
import { toOllamaBody } from '../chat/body/ollama-body';
import { toOpenAiBody } from '../chat/body/openai-body';
import { getChatFields } from '../chat/body/generation-fields';
import type { CompletionRequest } from '../chat/completion';
import type { InputMessage } from '../chat/input-message';
import { toSystemMessage } from '../chat/input-message';
import type { ChatMessage } from '../chat/chat-message';
import type { Usage } from '../chat/chat-result';
import type { ChatSettings, SamplingSettings, ResponseFormat } from '../chat/settings';
import type { Adaptation } from '../exchange/find-changes';
import { isAboutFormat } from '../exchange/adaptations';
import { omitFields } from '../exchange/body-changes';
import type { RequestField } from '../exchange/request-fields';
import type { RouteName, ServerType } from '../servers/types/server-type';
import type { ServerTypeName } from '../server-type-name';
import type { Origin, OriginText } from '../origin';
import { breakTurnTokens } from '../text/turn-tokens';
import { asFiniteNumber } from '../values/numbers';
import type { JsonRecord } from '../values/records';
import { truncate } from '../values/text';
import type { Label, LabelSet } from './labels';
import type { TaskSettings } from './run-task';
import { createCompletionError } from '../chat/read/completion-error';
import { CompletionReader } from '../chat/read/completion-reader';
import type { ErrorType } from '../errors/error-types';
import type { HttpResponse } from '../http/types';

export interface ClassifyRequest {
	/** Text and files of the item. */
	input: InputMessage;
	labels: readonly Label[];
	/** Whether a text may have several labels. */
	isMultiLabel: boolean;
	/** Whether a text may have no label. */
	allowNone: boolean;
	/** Context for the model; may be empty. */
	instructions: OriginText;
	/** Who wrote the labels. */
	labelOrigin: Origin;
}

export type ClassifySettings = TaskSettings & Pick<ChatSettings, 'sampling'>;

/** The labels of a text. */
export interface LabelResult {
	/** Indexes of the labels in the list, most likely first. Empty if no label matches, or if the text names none. */
	labels: number[];
	/** What the model wrote, if it names no label. */
	unmatchedText?: string;
	/** Probability of each label (0 to 1), by its index, if the server reports probabilities. */
	scores?: number[];
	/** Probability that no label matches, if that is allowed. */
	noneScore?: number;
	/** From 0 to 1; with several labels, the lowest one. */
	confidence?: number;
}

export interface Classification extends LabelResult {
	/** Of all requests. */
	usage: Usage | undefined;
	/** The model that the response names. */
	model: string | undefined;
	/** Undefined if the server was not recognized. */
	server: ServerTypeName | undefined;
	warnings: string[];
}

/** What the model wrote. */
export interface LabelCompletion {
	/** The text, or the reasoning if the text is empty: the label may be there. */
	text: string;
	/** Indexes of the labels in the text; undefined if it names none. */
	labels: number[] | undefined;
	/** Whether it was cut off at the token limit. */
	isTruncated: boolean;
	/** As in OpenAI's `logprobs.content` and Ollama's `logprobs`. */
	logprobs: unknown;
	usage: Usage | undefined;
	/** The model that the response names. */
	model: string | undefined;
}

const INSTRUCTION = 'Decide which of these categories the text of the user belongs to.';

/** The shared part comes first, for the server's prompt cache. The text comes last. */
export function buildMessages(request: ClassifyRequest, options: LabelSet): InputMessage[] {
	const { instructions, labelOrigin, isMultiLabel, allowNone, input } = request;
	const { keys } = options;
	const multiLabelInstruction = `Answer with the letters of the categories only, separated by commas, for example ${keys.slice(0, 2).join(',')}.`;
	const noneInstruction = allowNone ? ` Answer ${keys.at(-1)} if none fits.` : '';
	const system: OriginText[] = [
		{ text: isMultiLabel ? `${INSTRUCTION} It may be several.` : INSTRUCTION, origin: 'node' },
		{ text: options.format(), origin: labelOrigin },
		{ text: instructions.text.trim(), origin: instructions.origin },
		{
			text: isMultiLabel
				? multiLabelInstruction + noneInstruction
				: 'Answer with the letter of the category only.',
			origin: 'node',
		},
	];
	return [toSystemMessage(system), input];
}

/** What differs between the first request and its correction. */
export interface LabelDraft {
	messages: readonly ChatMessage[];
	/** The limit of tokens, unless the user set one. */
	tokens: number;
	/** The completion without a label, if this corrects it. */
	first?: LabelCompletion;
}

/** The same for all requests of a text. */
export interface LabelRequestContext {
	model: string;
	sampling: SamplingSettings;
	serverType: ServerType;
	options: LabelSet;
	/** Tokens in the chat template of the model. */
	templateTokens: readonly string[];
}

/** The maximum of OpenAI's API. */
const TOP_LOGPROBS = 20;

/** The body of a request whose response can only be labels, if the server supports that. */
export function buildLabelBody(
	route: RouteName,
	{ messages, tokens }: LabelDraft,
	{ model, sampling, serverType, options, templateTokens }: LabelRequestContext,
): JsonRecord {
	const constrained: CompletionRequest = {
		model,
		messages,
		templateTokens,
		tools: [],
		sampling: {
			maxTokens: tokens,
			...sampling,
			responseFormat: toResponseFormat(serverType, options),
			thinking: { mode: 'off' },
			extraBody: {
				stream: false,
				logprobs: true,
				top_logprobs: TOP_LOGPROBS,
				...sampling.extraBody,
			},
		},
	};
	return route === 'ollamaChat'
		? { truncate: false, ...toOllamaBody(constrained) }
		: toOpenAiBody(constrained, serverType);
}

/** A grammar costs a token less than a schema, whose responses have quotes. */
function toResponseFormat(serverType: ServerType, options: LabelSet): ResponseFormat {
	return serverType.compilesSchemas === 'formatsAndTools'
		? { type: 'grammar', grammar: options.toGrammar() }
		: { type: 'jsonSchema', name: 'category', schema: options.toSchema() };
}

/** Without constraints: enough for a name in a sentence. */
export const FREE_TOKENS = 64;

/** For a model that thinks although it should not. */
const THINKING_TOKENS = 2048;

/** Characters. Servers that ignore the token limit write far more, which would not fit into the next prompt. */
const MAX_REPEATED = 500;

/** The second request for a completion without a label; undefined if a label was found, or if it would be the third. */
export function correctDraft(
	completion: LabelCompletion,
	{ messages, first }: LabelDraft,
	{ sampling, options }: LabelRequestContext,
): LabelDraft | undefined {
	if (first || completion.labels) return undefined;
	// A model that thinks although it should not may have used up its tokens.
	if (completion.isTruncated && sampling.maxTokens !== undefined) return undefined;
	if (completion.isTruncated) return { messages, tokens: THINKING_TOKENS, first: completion };
	const answer = breakTurnTokens(truncate(completion.text, MAX_REPEATED));
	const correction = `That is not a valid response. Write one of these letters and nothing else: ${options.keys.join(', ')}`;
	return {
		messages: [
			...messages,
			{ role: 'assistant', content: answer, origin: 'model' },
			{ role: 'user', content: [{ type: 'text', text: correction, origin: 'node' }] },
		],
		tokens: FREE_TOKENS,
		first: completion,
	};
}

/** Fields that are options of chats. */
const OWN_FIELDS = [
	'response_format',
	'grammar',
	'format',
	'structured_outputs',
	'chat_template_kwargs',
	'reasoning_effort',
	'reasoning_budget_tokens',
	'thinking_token_budget',
	'think',
];

/** What a request for labels contains. The operation sets format and thinking itself. */
export const CLASSIFY_FIELDS: readonly RequestField[] = [
	...getChatFields({}).map((row) =>
		OWN_FIELDS.includes(row.field) ? { ...row, label: undefined } : row,
	),
	{ field: 'logprobs', label: undefined, canOmit: true, isTechnical: true },
	{ field: 'top_logprobs', label: undefined, canOmit: true, isTechnical: true },
	{ field: 'truncate', label: undefined, canOmit: false },
];

const CONSTRAINTS = [
	'response_format',
	'grammar',
	'format',
	'logprobs',
	'top_logprobs',
	'chat_template_kwargs',
];

/**
 * For servers that reject the constraints. With the prompt alone, most models still write only the letters.
 *
 * @param minTokens - The limit is raised to this number, since unconstrained responses are longer.
 */
export function omitConstraints(minTokens: number): Adaptation {
	return (rejection, requestBody) => {
		const sent = CONSTRAINTS.filter((name) => Object.hasOwn(requestBody, name));
		const isAboutThem = isAboutFormat(rejection) || sent.some((name) => rejection.names(name));
		if (sent.length === 0 || !isAboutThem) return undefined;
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
}

/** Errors of a response without a label, which the model may correct. */
const EMPTY_ERRORS: ReadonlySet<ErrorType | undefined> = new Set(['emptyResponse', 'onlyThinking']);

/**
 * Reads the completion of a classification.
 *
 * @throws a `ServerError` for a response that failed without a text.
 */
export async function readLabelCompletion(
	response: HttpResponse,
	options: LabelSet,
): Promise<LabelCompletion> {
	const { secrets } = response.errorContext;
	const reader = new CompletionReader({ mayStartInReasoning: true, keepsLogprobs: true, secrets });
	const completion = await reader.receive(response, {
		findError: ({ text, failure }) =>
			text !== '' || failure === undefined || EMPTY_ERRORS.has(failure.errorType)
				? undefined
				: createCompletionError(failure, response),
	});
	const { text, reasoning, finishReason, usage, model, logprobs } = completion;
	const output = text.trim() ? text : reasoning;
	return {
		text: output,
		labels: options.parse(output),
		isTruncated: finishReason === 'length',
		logprobs,
		usage,
		model,
	};
}
