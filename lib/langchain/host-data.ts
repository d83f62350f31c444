/** Data of n8n's LangChain as ours, and ours as n8n's. */
import { assertDepth } from '../chat/body/grammar-schema';
import { createInputError } from '../errors/create-error';
import type { JsonRecord } from '../values/records';
import {
	isNonEmpty,
	isRecord,
	asNonEmptyString,
	omitUndefined,
	asRecord,
	asRecords,
	asString,
} from '../values/records';
import { toPlainText } from '../values/safe-text';
import { truncate } from '../values/text';
import type { ChatResult } from '../chat/chat-result';
import type { ToolChoice, ToolDefinition } from '../chat/tool-definition';
import type { InputMessage, InputToolCall } from '../chat/input-message';
import { MESSAGE_TYPES } from '../chat/input-message';
import type { AiNodeSdk } from './host-classes';
import { getDraftAcceptanceRate, getTokensPerSecond } from '../chat/read/usage';
import { getOwn } from '../values/own-properties';

type ToJsonSchema = AiNodeSdk['getParametersJsonSchema'];

/**
 * Converts a tool of LangChain or n8n to a definition for the server. `toJsonSchema` is the host's converter, which
 * knows the host's zod.
 *
 * @throws {ServerError} of type `invalidInput` for something that is not a function tool
 */
export function toToolDefinition(tool: unknown, toJsonSchema: ToJsonSchema): ToolDefinition {
	if (!isRecord(tool)) throw createNotAToolError();
	const openAiTool = tool.type === 'function' ? asRecord(tool.function) : {};
	const isOpenAiTool = typeof openAiTool.name === 'string';
	const { name, description } = isOpenAiTool ? openAiTool : tool;
	if (typeof name !== 'string') throw createNotAToolError();
	const subject = {
		label: `The schema of the tool "${name}"`,
		title: `The arguments of the tool "${name}" cannot be read`,
		suggestion: 'Describe the arguments with zod or JSON schema.',
	};
	const schema = isOpenAiTool
		? toPlainSchema(openAiTool.parameters, subject)
		: toPlainSchema(convertToolSchema(tool, name, toJsonSchema), subject);
	return {
		name,
		description: asNonEmptyString(description),
		shortName: findShortName(name, asRecord(tool.metadata)),
		// Templates and grammars need the schema of a tool without arguments, too.
		schema: isNonEmpty(schema) ? schema : { type: 'object', properties: {} },
	};
}

/**
 * Converts the schema of a response, as LangChain's `withStructuredOutput` gets it: of zod, of another library, or JSON
 * schema, also within the definition of a function.
 *
 * @throws {ServerError} of type `invalidInput` for anything else
 */
export function toResponseSchema(schema: unknown, toJsonSchema: ToJsonSchema): JsonRecord {
	const { parameters, name } = asRecord(schema);
	const isFunction = typeof name === 'string' && isRecord(parameters);
	return toPlainSchema(
		convertWithHost(isFunction ? parameters : schema, 'response', toJsonSchema),
		{
			label: 'The schema of the response',
			title: 'The schema of the response cannot be read',
			suggestion: 'Describe the response with zod or JSON schema.',
		},
	);
}

function convertToolSchema(tool: JsonRecord, name: string, toJsonSchema: ToJsonSchema): unknown {
	const { type = 'function' } = tool;
	const schema = tool.schema ?? tool.inputSchema ?? tool.parameters;
	// `{"type": "web_search", "name": …}` and the like name a tool that the provider runs itself.
	if (schema === undefined && typeof type === 'string' && type !== 'function')
		throw createNotAToolError();
	return convertWithHost(schema, name, toJsonSchema);
}

/** n8n converts the schemas of its copy of zod, and returns those of other copies unchanged. */
function convertWithHost(schema: unknown, name: string, toJsonSchema: ToJsonSchema): unknown {
	const sdkTool = { type: 'function', name, inputSchema: schema };
	return toJsonSchema(sdkTool as Parameters<ToJsonSchema>[0]);
}

/** The longest name that n8n makes. */
const MAX_NAME_LENGTH = 64;

/**
 * The name of an MCP server's tool, from which n8n made the tool's name; undefined if the name does not begin with its
 * node's prefix. Behind an approval, `sourceNodeName` is the node of the approval.
 */
function findShortName(
	name: string,
	{ gatedToolNodeName, sourceNodeName, isFromToolkit }: JsonRecord,
) {
	const node = asNonEmptyString(gatedToolNodeName ?? sourceNodeName);
	if (node === undefined || isFromToolkit === false || name.length > MAX_NAME_LENGTH)
		return undefined;
	const prefix = node.replace(/[^a-zA-Z0-9]/g, '_');
	const rests = [...name.matchAll(/_(?=[^_])/g)].map(({ index }) => name.slice(index + 1));
	// A truncated prefix may end at several places: the longest one is assumed.
	return rests.filter((rest) => buildMcpToolName({ prefix, toolName: rest }) === name).at(-1);
}

/** `buildMcpToolName` of n8n's MCP client (2.20 and 2.41). */
function buildMcpToolName({ prefix, toolName }: { prefix: string; toolName: string }) {
	const fittingPrefix = prefix.slice(0, Math.max(0, MAX_NAME_LENGTH - toolName.length - 1));
	return fittingPrefix ? `${fittingPrefix}_${toolName}` : toolName;
}

function createNotAToolError() {
	return createInputError(
		'An object bound to the model is not a tool',
		'Local servers support function tools only, not the built-in tools of cloud providers.',
	);
}

/** Converts LangChain's forms: `any` for "some tool", a tool's name, or OpenAI's object. */
export function toToolChoice(choice: unknown): ToolChoice | undefined {
	if (choice === 'any' || choice === true) return 'required';
	if (choice === 'auto' || choice === 'none' || choice === 'required') return choice;
	const { function: openAiFunction, name: ownName } = asRecord(choice);
	const openAiName = isRecord(openAiFunction) ? openAiFunction.name : ownName;
	const name = typeof choice === 'string' ? choice : openAiName;
	return typeof name === 'string' ? { name } : undefined;
}

/** Zod's types of single values. Types in no list here accept any value. */
const PRIMITIVES = ['string', 'number', 'boolean', 'null'];

/** Types around another schema that change nothing relevant to a model. */
const OPTIONAL_TYPES = ['optional', 'exactoptional', 'default', 'prefault', 'catch'];
const WRAPPERS = [...OPTIONAL_TYPES, 'nullable', 'readonly', 'branded', 'effects'];

/** What a schema describes, in errors. */
interface SchemaSubject {
	/** For example `The schema of the tool "search"`. */
	label: string;
	/** Of the error for a schema that cannot be read. */
	title: string;
	suggestion: string;
}

/** The JSON schema as it is sent: without the name of its version, which only costs tokens. */
function toPlainSchema(source: unknown, subject: SchemaSubject): JsonRecord {
	const json = convertToJsonSchema(source, subject);
	assertDepth(json, subject.label);
	const schema = { ...json };
	delete schema.$schema;
	return schema;
}

/**
 * JSON schema from zod 3, zod 4, a Standard Schema that gives JSON schema, or JSON schema.
 * Recognized by its shape, since n8n may hold several copies of zod, and `instanceof` knows only one.
 *
 * @throws {ServerError} of type `invalidInput` for anything else
 */
function convertToJsonSchema(schema: unknown, { label, title, suggestion }: SchemaSubject) {
	if (schema === undefined || schema === null) return {};
	const json = convertLibrarySchema(schema);
	// A Standard Schema that gives no JSON schema would be sent with its methods.
	const isUnconverted = json === schema && asRecord(schema)['~standard'] !== undefined;
	const hasMethods = Object.values(asRecord(json)).some((value) => typeof value === 'function');
	if (!isRecord(json) || isUnconverted || hasMethods)
		throw createInputError(title, suggestion, {
			detail: `${label} cannot be read: it is not a zod schema, a JSON schema or a Standard Schema that provides one`,
		});
	return json;
}

/** The JSON schema of a library's schema; anything else unchanged. */
function convertLibrarySchema(schema: unknown): unknown {
	const { toJSONSchema, '~standard': standard } = asRecord(schema);
	const standardConverter = asRecord(asRecord(standard).jsonSchema).input;
	if (typeof standardConverter === 'function')
		return standardConverter({ target: 'draft-2020-12' }) as unknown;
	if (typeof toJSONSchema === 'function')
		return toJSONSchema.call(schema, { unrepresentable: 'any', io: 'input' }) as unknown;
	return getZodDefinition(schema) ? convertZod(schema) : schema;
}

function getZodDefinition(schema: unknown) {
	const { _zod, _def } = asRecord(schema);
	const definition = asRecord(asRecord(_zod).def ?? _def);
	return typeof (definition.typeName ?? definition.type) === 'string' ? definition : undefined;
}

function getZodType({ typeName, type }: JsonRecord = {}) {
	return String(typeName ?? type)
		.replace(/^Zod/, '')
		.toLowerCase();
}

function convertZod(schema: unknown): JsonRecord {
	const def = getZodDefinition(schema);
	if (!def) return {};
	const description = asNonEmptyString(asRecord(schema).description ?? def.description);
	return { ...convertZodDefinition(def), ...omitUndefined({ description }) };
}

function convertZodDefinition(def: JsonRecord): JsonRecord {
	const type = getZodType(def);
	if (PRIMITIVES.includes(type)) return { type };
	if (WRAPPERS.includes(type)) return convertZod(def.innerType ?? def.schema ?? def.type);
	if (type === 'object') return convertZodObject(def);
	if (type === 'array') return { type: 'array', items: convertZod(def.element ?? def.type) };
	if (type === 'enum')
		return { enum: Object.values(asRecord(def.entries ?? { ...(def.values as object) })) };
	return {};
}

function convertZodObject({ shape }: JsonRecord): JsonRecord {
	const fields = asRecord(typeof shape === 'function' ? (shape as () => unknown)() : shape);
	const properties = Object.entries(fields).map(([name, field]) => [name, convertZod(field)]);
	const required = Object.keys(fields).filter(
		(name) => !OPTIONAL_TYPES.includes(getZodType(getZodDefinition(getOwn(fields, name)))),
	);
	return { type: 'object', properties: Object.fromEntries(properties), required };
}

type HostMessage = JsonRecord & {
	getType?: () => string;
	_getType?: () => string;
};

/**
 * Reads a message object of the host's LangChain, by its shape: an instance check would work with one copy of the
 * library only.
 */
export function toInputMessage(message: unknown): InputMessage {
	if (typeof message !== 'object' || message === null)
		return { type: 'human', content: String(message) };
	const source = message as HostMessage;
	const { reasoning_content: reasoningContent, reasoning } = asRecord(source.additional_kwargs);
	return {
		type: getMessageType(source),
		content: source.content,
		toolCalls: asRecords(source.tool_calls).map(toInputToolCall),
		invalidToolCalls: asRecords(source.invalid_tool_calls),
		toolCallId: asString(source.tool_call_id),
		name: asString(source.name),
		reasoning: asString(reasoningContent ?? reasoning),
	};
}

function getMessageType(message: HostMessage) {
	const hostType = message.getType?.() ?? message._getType?.();
	if (hostType === 'tool') return hostType;
	const type = MESSAGE_TYPES.get(hostType === 'generic' ? asString(message.role) : hostType);
	// Only LangChain's own tool messages have the ID of a call.
	return type === undefined || type === 'tool' ? 'human' : type;
}

function toInputToolCall({ id, name, args }: JsonRecord): InputToolCall {
	return { id: asString(id), name: String(name), args: asRecord(args) };
}

/** The token counts with LangChain's names. */
export function toUsageMetadata({ usage }: ChatResult): JsonRecord | undefined {
	if (!usage) return undefined;
	const { cachedTokens, reasoningTokens } = usage;
	return {
		input_tokens: usage.promptTokens,
		output_tokens: usage.completionTokens,
		total_tokens: usage.totalTokens,
		...omitUndefined({
			input_token_details: cachedTokens === undefined ? undefined : { cache_read: cachedTokens },
			output_token_details:
				reasoningTokens === undefined ? undefined : { reasoning: reasoningTokens },
		}),
	};
}

const MAX_LOGGED_REASONING = 2000;

/** Shorter load times mean that the model was already in memory. */
const COLD_START_MS = 1000;

/**
 * Execution log fields besides the text: n8n records nothing else (docs/protocols/n8n.md 2.7). Token counts are in
 * `usage_metadata`, and warnings in the hints that n8n stores with the log.
 */
export function toGenerationInfo(result: ChatResult): JsonRecord {
	const { usage, timings = {}, reasoning } = result;
	const { load_ms: loadMs = 0 } = timings;
	const acceptanceRate = getDraftAcceptanceRate(result.timings);
	return omitUndefined({
		finishReason: result.finishReason,
		modelName: toPlainText(result.model ?? '') || undefined,
		tokensPerSecond: round(getTokensPerSecond(result)),
		promptTokensPerSecond: round(timings.prompt_per_second),
		cachedTokens: usage?.cachedTokens ?? timings.cache_n,
		draftAcceptanceRate:
			acceptanceRate === undefined ? undefined : `${Math.floor(acceptanceRate * 100)} %`,
		usageEstimated: usage?.estimated,
		firstTokenMs: round(result.firstTokenMs || undefined),
		totalMs: round(result.totalMs),
		modelLoadMs: loadMs >= COLD_START_MS ? round(loadMs) : undefined,
		reasoning: truncate(reasoning, MAX_LOGGED_REASONING) || undefined,
		url: result.url,
		...result.logFields,
	});
}

function round(value: number | undefined) {
	return value === undefined || !Number.isFinite(value) ? undefined : Math.round(value * 10) / 10;
}
