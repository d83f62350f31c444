import { isRecord, optional } from '../../values';
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
export function toolCallsOf(delta: Record<string, unknown>, complete: boolean): ToolCallPiece[] {
	const calls = listOf(delta.tool_calls);
	// OpenAI's old form with a single call, used by the example servers of ChatGLM and Qwen. Some servers send both.
	const single =
		calls.length === 0 && isRecord(delta.function_call)
			? [{ function: delta.function_call }]
			: calls;
	return single.map((call: Record<string, unknown>) => {
		// Some servers omit the inner object.
		const fn = isRecord(call.function) ? call.function : call;
		const name = [fn.name, call.name, call.function].find(
			(one) => typeof one === 'string' && one.trim() !== '',
		);
		const args = argumentsOf(fn) ?? argumentsOf(call);
		return {
			...(isIndex(call.index) ? { index: call.index } : {}),
			...(isId(call.id) ? { id: String(call.id) } : {}),
			...(typeof name === 'string' ? { name: name.trim() } : {}),
			...optional({ arguments: args }),
			...(complete ? { complete: true } : {}),
		};
	});
}

/** A list, a single entry without a list, or an object with numeric keys. */
function listOf(calls: unknown): Array<Record<string, unknown>> {
	if (Array.isArray(calls)) return calls.filter(isRecord);
	if (!isRecord(calls)) return [];
	return 'function' in calls || 'name' in calls ? [calls] : Object.values(calls).filter(isRecord);
}

/**
 * The arguments of a call, under any of their names. Values that are neither text nor object become JSON text, which
 * the final check refuses: a tool must not run without the model's arguments.
 */
function argumentsOf(fn: Record<string, unknown>): string | Record<string, unknown> | undefined {
	// Some servers send the tool's schema as `parameters`.
	const given = [
		fn.arguments,
		isSchema(fn.parameters) ? undefined : fn.parameters,
		fn.args,
		fn.input,
	];
	const value =
		given.find((one) => !isEmptyValue(one)) ??
		given.find((one) => one !== undefined && one !== null);
	if (value === undefined || value === null) return undefined;
	return typeof value === 'string' || isRecord(value) ? value : JSON.stringify(value);
}

function isEmptyValue(value: unknown): boolean {
	return (
		value === undefined ||
		value === null ||
		value === '' ||
		(isRecord(value) && Object.keys(value).length === 0)
	);
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
