/** The error of a turn that failed: with the options that its response names, and the advice by what is known of the turn. */
import { toKnownServer } from '../servers/known-server';
import { getServerFacts } from '../servers/server-facts';
import type { NamedOption } from '../errors/facts';
import type { FactSources } from '../errors/investigate';
import { investigate } from '../errors/investigate';
import { isMissingStatus } from '../errors/missing-route';
import { namesModel } from '../errors/classify-error';
import { asServerErrorOrThrow, ServerError } from '../errors/server-error';
import { labelOptions } from '../exchange/named-options';
import type { RequestFields } from '../exchange/request-fields';
import { hasFailed } from '../servers/model-selection';
import { listModels } from '../servers/list-models';
import { matchesModel } from '../servers/model-names';
import { findCutInput } from '../servers/truncation';
import type { ServerModel } from '../servers/server-model';
import { other } from '../servers/types/other';
import type { JsonRecord } from '../values/records';
import { asRecord } from '../values/records';
import { GENERATION_OPTIONS } from './body/generation-options';
import { hasFormatOfOperation } from './settings';
import { asFiniteNumber } from '../values/numbers';
import type { ChatAttempt } from './chat-attempt';
import type { Usage } from './chat-result';
import type { TurnContext } from './turn-context';
import type { CompletionRequest } from './completion';
import { getText } from './content';
import { findLargestPart } from './largest-part';
import { findSentMedia, isAboutMedia } from './sent-media';
import { FORMAT_TOOL_NAME } from './tools/format-tool';

/** What is known of an exchange that failed. */
export interface FailedExchange {
	/** Its first request. */
	draft: CompletionRequest;
	/** What its requests contained. */
	fields: RequestFields;
	/** Of all attempts. */
	usage: Usage | undefined;
	/** Undefined if none began. */
	lastAttempt: ChatAttempt | undefined;
}

/** A turn that failed. */
interface FailedTurn {
	turn: TurnContext;
	draft: CompletionRequest;
	/** Options that the response names. */
	namedOptions: readonly NamedOption[] | undefined;
	isRoomNegative: boolean;
	/** The last attempt got output of the model. */
	hasOutput: boolean;
}

/** The error of the turn, from that of its exchange. May send requests, such as for the list of models. */
export async function toTurnError(
	error: ServerError,
	turn: TurnContext,
	{ draft, fields, usage, lastAttempt }: FailedExchange,
): Promise<ServerError> {
	// An error response is about a body that was sent, so it can be built again.
	const body = error.serverText === undefined ? undefined : lastAttempt?.toBody();
	const textsOfOthers = body && lastAttempt?.getTextsOfOthers(body);
	const labelled =
		body && textsOfOthers ? labelOptions(error, fields, { body, textsOfOthers }) : undefined;
	const { error: cause = error, options: namedOptions } = labelled ?? {};
	const explained = await explainTurnError(cause, {
		turn,
		draft,
		namedOptions,
		isRoomNegative: body !== undefined && isRoomNegative(error, body),
		hasOutput: lastAttempt !== undefined && hasText(lastAttempt),
	});
	return explained.copyWith({ facts: { ...explained.facts, usage } });
}

/** The error with what the turn and its server say of its cause. */
async function explainTurnError(
	error: ServerError,
	{ turn, draft, namedOptions, ...found }: FailedTurn,
): Promise<ServerError> {
	const { server, serverType, settings, chatRequest } = turn;
	const { signal } = chatRequest;
	const { model } = settings;
	const cause = await toErrorOfAddress(error, turn);
	const isRecognized = serverType !== other;
	let listing: Promise<ServerModel[] | undefined> | undefined;
	const fetchModels = async () => await (listing ??= tryListModels(turn));
	return await investigate(cause, {
		...getServerFacts(cause, server, { model, signal }),
		...getSamplingFacts(draft),
		media: () => findSentMedia(draft.messages),
		isAboutMedia: () => isAboutMedia(cause, draft.messages) || undefined,
		largestPart: () => findLargestPart(draft.messages, draft.tools),
		namedOptions: () => namedOptions,
		model: () => model,
		server: () => toKnownServer(serverType),
		promptSource: () => ((draft.sampling.maxTokens ?? 0) > 0 ? 'limitedChat' : 'chat'),
		isRoomNegative: () => found.isRoomNegative || undefined,
		hasOutput: () => found.hasOutput || undefined,
		hasTokenOption: () => true,
		hasFormatTool: () => draft.tools.some(({ name }) => name === FORMAT_TOOL_NAME) || undefined,
		lacksRoutes: () => (isRecognized && serverType.hasEveryRoute !== true) || undefined,
		mayLackModel: () => mayLackModel(cause, model) || undefined,
		otherModels: async () => toOtherModels(await fetchModels(), turn),
		isModelMissing: async () => lacksModel(await fetchModels(), turn) || undefined,
		cutInput: async () => await findCutInputOfTurn(cause, turn, draft),
	});
}

/** What is known of the settings of a generation. */
function getSamplingFacts({ sampling, tools }: CompletionRequest): FactSources {
	const { responseFormat, seed = -1 } = sampling;
	const ownFormat = responseFormat && (responseFormat.type === 'grammar' ? 'grammar' : 'schema');
	const format = ownFormat ?? findFormat(sampling.extraBody);
	const hasTools = tools.length > 0;
	const rules = hasTools ? 'tools' : format;
	return {
		convertedRules: () => (format !== undefined && hasTools ? undefined : rules),
		hasFormatWithTools: () => (format !== undefined && hasTools) || undefined,
		hasFixedSeed: () => seed !== -1 || undefined,
		// Operations with a format of their own do not offer it.
		repeatPenaltyLabel: () =>
			hasFormatOfOperation(responseFormat) ? undefined : GENERATION_OPTIONS.repeatPenalty.label,
	};
}

/** What a server converts, by the field of Extra Body that has it. */
function findFormat(extraBody: JsonRecord = {}): 'grammar' | 'schema' | undefined {
	const names = Object.keys(extraBody);
	if (names.some((name) => /grammar$/.test(name))) return 'grammar';
	return names.some((name) => SCHEMA_FIELDS.includes(name)) ? 'schema' : undefined;
}

/** Fields with a JSON schema in them, on any route. */
const SCHEMA_FIELDS: readonly string[] = [
	'response_format',
	'json_schema',
	'format',
	'guided_json',
];

/** A limit of tokens, on any route. */
const ROOM_FIELDS: readonly string[] = ['max_tokens', 'max_completion_tokens', 'max_new_tokens'];

/** vLLM: "max_tokens must be at least 1, got -186." A value that was not sent is what the prompt has left of the context. */
function isRoomNegative({ serverText = '' }: ServerError, body: JsonRecord): boolean {
	const isNamed = ROOM_FIELDS.some((name) => serverText.includes(name));
	const isSent = ROOM_FIELDS.some((name) => Object.hasOwn(body, name));
	return isNamed && !isSent && /(?<![\w.-])-\d/.test(serverText);
}

function hasText(attempt: ChatAttempt): boolean {
	const { text = '', reasoning = '' } = attempt.getPartialOutput() ?? {};
	return (text + reasoning).trim() !== '';
}

/** Errors of the list that name the mistake, too: a web page has no chat route either. */
const ADDRESS_ERRORS = new Set(['notAnApi', 'wrongServer']);

/** If a server that is not recognized has no chat, its list may show that another program responds. */
async function toErrorOfAddress(
	error: ServerError,
	{ server, serverType, chatRequest }: TurnContext,
): Promise<ServerError> {
	if (error.type !== 'routeNotFound' || serverType !== other) return error;
	const models = await listModels(server, { signal: chatRequest.signal }).catch(
		asServerErrorOrThrow,
	);
	return models instanceof ServerError && ADDRESS_ERRORS.has(models.type) ? models : error;
}

/** The list of the server; undefined if it has none. */
async function tryListModels({ server, chatRequest }: TurnContext) {
	const models = await listModels(server, { signal: chatRequest.signal, modelTask: 'chat' }).catch(
		asServerErrorOrThrow,
	);
	return models instanceof ServerError ? undefined : models;
}

/** By the status, or because the response names the model. */
function mayLackModel({ status, serverText }: ServerError, model: string): boolean {
	return isMissingStatus(status) || namesModel(serverText ?? '', model);
}

/** The names of models, without that of the turn and those that have failed. */
function toOtherModels(models: readonly ServerModel[] = [], { settings: { model } }: TurnContext) {
	return models.filter((one) => !hasFailed(one) && one.id !== model).map(({ id }) => id);
}

/** Whether the server lists models, and not that of the turn. */
function lacksModel(
	models: readonly ServerModel[] = [],
	{ serverType: { isSameModel }, settings: { model } }: TurnContext,
): boolean {
	return models.length > 0 && !models.some((one) => matchesModel(one, model, isSameModel));
}

/** Ollama truncates a single message that exceeds the context, and returns an empty response (docs/protocols/ollama.md 4.1). */
async function findCutInputOfTurn(
	error: ServerError,
	{ server, settings: { model } }: TurnContext,
	{ messages }: CompletionRequest,
) {
	const processedTokens = asFiniteNumber(asRecord(error.facts.usage).promptTokens);
	const texts = messages.map(({ content }) => getText(content));
	return await findCutInput(server, { texts, processedTokens, model });
}
