import { isRecord, type JsonRecord, optional } from '../../values';
import type { ToolCallPiece, ToolDefinition } from '../types';

/** The request field for tools. */
export function toolsField(tools: readonly ToolDefinition[]) {
	return {
		tools: tools.map(({ name, description, parameters }) => ({
			type: 'function',
			function: { name, ...optional({ description }), parameters },
		})),
	};
}

/**
 * The tool-call pieces in a delta or a message, in all forms that servers send.
 *
 * @param complete whether each is a whole call, whatever its index is
 */
export function toolCallsOf(delta: JsonRecord, complete: boolean): ToolCallPiece[] {
	const calls = listOf(delta.tool_calls);
	if (calls.length > 0) return calls.map((call) => toolCallOf(call, complete));
	// OpenAI's old form with a single call, used by the example servers of ChatGLM and Qwen. Some servers send both.
	if (!isRecord(delta.function_call)) return [];
	return [toolCallOf({ function: delta.function_call }, complete)];
}

function toolCallOf(call: JsonRecord, complete: boolean): ToolCallPiece {
	// Some servers omit the inner object.
	const fn = isRecord(call.function) ? call.function : call;
	const names = [fn.name, call.name, call.function].filter((one) => typeof one === 'string');
	const name = names.find((one) => one.trim() !== '')?.trim();
	const args = argumentsOf(fn) ?? argumentsOf(call);
	const piece: ToolCallPiece = optional({ name, arguments: args });
	if (isIndex(call.index)) piece.index = call.index;
	if (isId(call.id)) piece.id = String(call.id);
	if (complete) piece.complete = true;
	return piece;
}

/** A list, a single entry without a list, or an object with numeric keys. */
function listOf(calls: unknown): JsonRecord[] {
	if (Array.isArray(calls)) return calls.filter(isRecord);
	if (!isRecord(calls)) return [];
	return 'function' in calls || 'name' in calls ? [calls] : Object.values(calls).filter(isRecord);
}

/**
 * The arguments of a call, under any of their names. Values that are neither text nor object become JSON text, which
 * the final check refuses: a tool must not run without the model's arguments.
 */
function argumentsOf(fn: JsonRecord): string | JsonRecord | undefined {
	// Some servers send the tool's schema as `parameters`.
	const parameters = isSchema(fn.parameters) ? undefined : fn.parameters;
	const values = [fn.arguments, parameters, fn.args, fn.input].filter(
		(value) => value !== undefined && value !== null,
	);
	const value = values.find((one) => !isEmptyValue(one)) ?? values[0];
	if (value === undefined) return undefined;
	return typeof value === 'string' || isRecord(value) ? value : JSON.stringify(value);
}

function isEmptyValue(value: unknown): boolean {
	return value === '' || (isRecord(value) && Object.keys(value).length === 0);
}

function isSchema(value: unknown): boolean {
	return isRecord(value) && value.type === 'object' && isRecord(value.properties);
}

function isIndex(index: unknown): index is number | string {
	return typeof index === 'number' || (typeof index === 'string' && index.trim() !== '');
}

function isId(id: unknown): id is number | string {
	return typeof id === 'number' || (typeof id === 'string' && id !== '');
}
