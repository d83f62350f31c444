/**
 * The tools that an agent binds. In: objects of LangChain, n8n's SDK or OpenAI, whose definitions an MCP server may have
 * written. Out: definitions for the server, and the tools that cannot be offered.
 */
import type { ToolDefinition, ToolProblem, UnusableTool } from '../chat/tool-definition';
import { createInputError } from '../errors/create-error';
import { findLengthProblem } from '../errors/text-limits';
import type { Steps } from '../http/steps';
import { TASK_LIMITS } from '../task-limits';
import type { JsonRecord } from '../values/records';
import { asNonEmptyString, asRecord, isNonEmpty, isRecord } from '../values/records';
import { isUnusable, readSchema } from './json-schema';
import type { ToJsonSchema } from './json-schema';

/** The tools of a request. */
export interface ToolList {
	/** Those that may be offered, in the order of their connections. */
	tools: ToolDefinition[];
	/** Those that are too large, or cannot be read. */
	unusableTools: UnusableTool[];
}

/** A list of tools is named, scored and written in one piece: as many take 25 ms. No local model reads more than some hundred. */
const MAX_TOOLS = 1_000;

/** Values of all schemas together, by `MAX_VALUES` of each. They are read and copied in one piece for each request: about 75 ms. */
const MAX_VALUES_TOGETHER = 30_000;

/**
 * Values of all schemas that are read for a request, also of tools that are not offered: eighty of the largest ones, whose
 * conversion takes a second, once. Without a limit, hundreds of them would be converted again in each round, because they
 * are more than is kept.
 */
const MAX_VALUES_READ = 100_000;

/** The same for the bytes of all definitions. */
const MAX_BYTES_READ = 10 * 1024 * 1024;

/**
 * Reads tools one after another. A tool that is too large or cannot be read, or for which the others leave no room,
 * is left out.
 *
 * @param toJsonSchema - The host's converter, which knows the host's zod.
 * @throws {ServerError} of type `invalidInput` for something that is not a function tool
 */
export function* readTools(
	source: readonly unknown[],
	toJsonSchema: ToJsonSchema,
): Steps<ToolList> {
	const list: ToolList = { tools: [], unusableTools: [] };
	const sum: DefinitionSize = { values: 0, bytes: 0 };
	const seen: DefinitionSize = { values: 0, bytes: 0 };
	for (const each of source) {
		const tool = findTool(each);
		const isRead =
			list.tools.length < MAX_TOOLS &&
			seen.values <= MAX_VALUES_READ &&
			seen.bytes <= MAX_BYTES_READ;
		const { definition, size, problem } = isRead ? readTool(tool, toJsonSchema) : UNREAD;
		const isFull =
			sum.values + size.values > MAX_VALUES_TOGETHER ||
			sum.bytes + size.bytes > TASK_LIMITS.chat.sentBytes;
		seen.values += size.values;
		seen.bytes += size.bytes;
		if (definition === undefined || isFull)
			list.unusableTools.push({ name: tool.name, problem: problem ?? 'together' });
		else {
			list.tools.push(definition);
			sum.values += size.values;
			sum.bytes += size.bytes;
		}
		yield;
	}
	return list;
}

/** How large a definition is. */
interface DefinitionSize {
	/** Values of its schema that were counted. */
	values: number;
	/** Of its texts. */
	bytes: number;
}

/** A tool as an agent binds it. */
interface BoundTool {
	name: string;
	description: string | undefined;
	tool: JsonRecord;
	/** The definition within a tool of OpenAI. */
	openAiTool: JsonRecord | undefined;
}

/** A tool that was read: its definition, or why it cannot be offered. */
interface ReadTool {
	definition?: ToolDefinition;
	size: DefinitionSize;
	problem?: ToolProblem;
}

const NO_SIZE: DefinitionSize = { values: 0, bytes: 0 };

/** A tool after so many that no other is read. */
const UNREAD: ReadTool = { size: NO_SIZE, problem: 'together' };

/** @throws {ServerError} of type `invalidInput` for something that is not a function tool */
function findTool(tool: unknown): BoundTool {
	if (!isRecord(tool)) throw createNotAToolError();
	const nested = tool.type === 'function' ? asRecord(tool.function) : {};
	const openAiTool = typeof nested.name === 'string' ? nested : undefined;
	const { name, description } = openAiTool ?? tool;
	if (typeof name !== 'string') throw createNotAToolError();
	return { name, description: asNonEmptyString(description), tool, openAiTool };
}

/** @throws {ServerError} of type `invalidInput` for a tool that the provider runs itself */
function readTool(
	{ name, description, tool, openAiTool }: BoundTool,
	toJsonSchema: ToJsonSchema,
): ReadTool {
	const isTooLong = [name, description ?? ''].some((text) => findLengthProblem(text) !== undefined);
	if (isTooLong) return { size: NO_SIZE, problem: 'description' };
	const read = openAiTool
		? readSchema(openAiTool.parameters)
		: readSchema(getHostSchema(tool), toJsonSchema);
	if (isUnusable(read))
		return { size: { values: read.values, bytes: read.length }, problem: read.problem };
	return {
		definition: {
			name,
			description,
			shortName: findShortName(name, asRecord(tool.metadata)),
			// Templates and grammars need the schema of a tool without arguments, too.
			schema: isNonEmpty(read.schema) ? read.schema : { type: 'object', properties: {} },
			origin: 'foreign',
		},
		size: {
			values: read.values,
			bytes: Buffer.byteLength(name) + Buffer.byteLength(description ?? '') + read.bytes,
		},
	};
}

/** @throws {ServerError} of type `invalidInput` for a tool that the provider runs itself */
function getHostSchema(tool: JsonRecord): unknown {
	const { type = 'function' } = tool;
	const schema = tool.schema ?? tool.inputSchema ?? tool.parameters;
	// `{"type": "web_search", "name": …}` and the like name one.
	if (schema === undefined && typeof type === 'string' && type !== 'function')
		throw createNotAToolError();
	return schema;
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
