/** Whether an answer is usable, and what the model is asked next where it is not. */
import { failure } from '../errors/failure';
import type { ServerError } from '../errors/server-error';
import { contextOf } from '../http/failures';
import { optional } from '../values';
import type { Answer } from './answer';
import { failureOf, isHeldBack, type Read } from './ask';
import type { Asking } from './draft';
import type { Body } from './body';
import { ownToolCallIds, type ReadCall } from './calls';
import { checkedJson, jsonError } from './checked-json';
import { checkedCalls, correctionOf, correctionOfFormat, type Fault } from './correction';
import { cleanedFormat } from './draft';
import { formatCallIn } from './format-call';
import { wantsJson } from './parameters';
import type { ToolDefinition } from './types';

/** What a usable answer says. */
export type Usable = Omit<Answer, 'toolCalls'> & {
	toolCalls: ReadCall[];
	/** Notes for the user. */
	notes: string[];
};

export interface Verdict {
	/** What is asked in its place; undefined for a good answer. */
	next?: Body;
	/** @throws {ServerError} where it is not usable at all */
	answer(): Usable;
}

/** Judges what was read as the answer to a body. */
export async function judge(asking: Asking, read: Read, body: Body): Promise<Verdict> {
	const { answer } = read;
	const calls = answer.toolCalls ?? [];
	const written = calls.length === 0 ? writtenCall(asking, answer.text, body.tools) : undefined;
	if (calls.length > 0 || 'kind' in answer) return judgeCalls(asking, read, body, calls);
	if (written !== undefined) {
		const usable = { ...answer, text: '', toolCalls: [written], notes: read.notes };
		return { answer: () => usable };
	}
	if (!wantsJson(asking.settings.parameters)) return good(read, answer);
	return await judgeJson(asking, read, body, answer);
}

/** A call of n8n's output parser, where nobody saw the text. */
function writtenCall(
	asking: Asking,
	text: string,
	tools: readonly ToolDefinition[],
): ReadCall | undefined {
	return isHeldBack(asking) ? formatCallIn(text, tools) : undefined;
}

function good(read: Read, answer: Answer, changes: Partial<Usable> = {}): Verdict {
	const usable = { ...answer, ...changes, notes: [...read.notes, ...(changes.notes ?? [])] };
	return { answer: () => usable };
}

function judgeCalls(
	asking: Asking,
	read: Read,
	body: Body,
	toolCalls: readonly ReadCall[],
): Verdict {
	const { answer } = read;
	const { call, names } = asking;
	const further = (call.furtherTools ?? []).map((tool) => ({
		...tool,
		name: names.sent(tool.name),
	}));
	const tools = [...body.tools, ...further];
	const isFromText = 'hadCallsInText' in answer;
	const { calls, faults } =
		tools.length === 0
			? { calls: [...toolCalls], faults: [] }
			: checkedCalls(toolCalls, tools, isFromText);
	const whole = 'kind' in answer ? undefined : answer;
	if (faults.length === 0 && whole !== undefined) return good(read, whole, { toolCalls: calls });
	const fail = () => {
		throw failureOfCalls(asking, read, faults, tools);
	};
	// Without tools there is nothing to correct a call by.
	if (faults.length === 0) return { answer: fail };
	const ids = ownToolCallIds(toolCalls.map(() => undefined));
	const correction = correctionOf(answer.text, toolCalls, faults, (index) => ids[index]!);
	return {
		next: { ...body, messages: [...body.messages, ...correction] },
		answer: () => {
			const known = calls.filter((call) => isRunnable(call, faults));
			if (whole === undefined || known.length === 0) return fail();
			return { ...whole, toolCalls: known, notes: [...read.notes, ...notesOnFaults(faults)] };
		},
	};
}

/** A call that lacks arguments is run: the tool may do without them. */
function isRunnable({ name }: ReadCall, faults: readonly Fault[]): boolean {
	return !faults.some(({ kind, call }) => kind !== 'missingArguments' && call.name === name);
}

function notesOnFaults(faults: readonly Fault[]): string[] {
	const unknown = faults.filter(({ kind }) => kind === 'unknownTool').map(({ call }) => call.name);
	const notes = faults
		.filter(({ kind }) => kind === 'missingArguments')
		.map(
			({ call, missing = [] }) =>
				`The model called the tool "${call.name}" without arguments that it requires: ${missing.join(', ')}. Some servers lose the arguments of a call: see whether an update or another tool call parser helps.`,
		);
	if (unknown.length > 0)
		notes.push(
			`The model also called tools that are not connected, which were left out: ${unknown.join(', ')}.`,
		);
	return notes;
}

function failureOfCalls(
	asking: Asking,
	{ answer, url }: Read,
	faults: readonly Fault[],
	tools: readonly ToolDefinition[],
): ServerError {
	const unknown = faults.find(({ kind }) => kind === 'unknownTool')?.call.name;
	if (unknown === undefined && 'kind' in answer)
		return failureOf(answer, { url, headers: {} }, asking);
	const { server, settings } = asking;
	const offeredTools = tools.map(({ name }) => name);
	const tool = unknown ?? faults[0]?.call.name;
	return failure('toolCallInvalid', contextOf(server, url, settings.model), {
		message: `The model called the tool "${tool}", which is not connected. Connected are: ${offeredTools.join(', ')}`,
		remedy:
			'Name the tools in the system prompt, connect the one that is missing, or use a model with better tool support.',
		...optional({
			partialText: answer.text || undefined,
			partialReasoning: answer.reasoning || undefined,
		}),
		facts: { offeredTools },
		about: optional({ tool }),
	});
}

const REMEDY =
	'Say in the prompt which fields you want, lower the temperature, or choose a larger model or a server that enforces the schema. The answer is in the details.';

async function judgeJson(asking: Asking, read: Read, body: Body, answer: Answer): Promise<Verdict> {
	const format = asking.settings.parameters.responseFormat;
	const schema = format?.type === 'jsonSchema' ? (format.least ?? format.schema) : undefined;
	const outcome = await checkedJson(answer.text, schema);
	if (!('faults' in outcome)) {
		const isBare = answer.text.trim() === outcome.json;
		const text = isBare ? answer.text : outcome.json;
		return good(read, answer, { text, notes: outcome.unchecked });
	}
	const faults = outcome.faults.length === 0 ? ['it is not JSON'] : outcome.faults;
	const isCut = answer.finishReason === 'length';
	return {
		...(isCut ? {} : { next: nextForJson(asking, body, answer, faults) }),
		answer: () => {
			throw jsonError(answer, contextOf(asking.server, read.url, body.model), faults, {
				cut: 'The token limit cut off the JSON',
				wrong: 'The answer is not the JSON that was asked for',
				remedy: REMEDY,
			});
		},
	};
}

/** With the format, if the first try went without it; else with what was wrong. */
function nextForJson(
	{ settings, kind }: Asking,
	body: Body,
	answer: Answer,
	faults: readonly string[],
): Body {
	const { responseFormat } = settings.parameters;
	if (body.parameters.responseFormat === undefined) {
		const parameters = { ...body.parameters, ...optional({ responseFormat }) };
		return { ...body, parameters: cleanedFormat(parameters, kind) };
	}
	const correction = correctionOfFormat(answer.text, faults.join('; '));
	return { ...body, messages: [...body.messages, ...correction] };
}
