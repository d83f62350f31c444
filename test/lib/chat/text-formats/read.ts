/** An answer in pieces, read in the format of a family. */
import { Assembly, type AssemblyOptions } from '../../../../lib/chat/answer/assembly';
import { FAMILIES, type Family } from '../../../../lib/chat/text-formats/families';
import type { UnrunReason, ToolCallPiece, ToolDefinition } from '../../../../lib/chat/types';

export const TOOLS: ToolDefinition[] = [
	{
		name: 'w',
		parameters: {
			type: 'object',
			properties: { city: { type: 'string' }, days: { type: 'integer' } },
			required: ['city'],
		},
	},
	{
		name: 'm',
		parameters: {
			type: 'object',
			properties: { to: { type: 'string' }, body: { type: 'string' } },
			required: ['body'],
		},
	},
	{ name: 'n', parameters: { type: 'object', properties: {} } },
];

export interface Given {
	family?: string;
	tools?: ToolDefinition[];
	finish?: string;
	/** Messages of users and tools. */
	input?: string[];
	/** Thinking in a field of its own, in front. */
	reasoning?: string;
	/** Calls that the server returned. */
	calls?: ToolCallPiece[];
	options?: AssemblyOptions;
}

export interface Outcome {
	text: string;
	reasoning: string;
	/** `NAME ARGUMENTS`. */
	calls: string[];
	note?: UnrunReason;
	/** Of the family that is named. */
	noted?: string;
	tool?: string;
	/** On numbers that are kept as text. */
	numbers?: string[];
}

export function familyCalled(id: string | undefined): Family | undefined {
	const family = FAMILIES.find((one) => one.id === id);
	if (id !== undefined && family === undefined) throw new Error(`no family ${id}`);
	return family;
}

export function readPieces(pieces: readonly string[], given: Given = {}): Outcome {
	const { family, tools = TOOLS, finish = 'stop', input = [], reasoning, calls } = given;
	const assembly = new Assembly({
		toolsInText: tools,
		tools,
		family: familyCalled(family),
		input,
		callIds: (ids) => ids.map((id) => id ?? ''),
		...given.options,
	});
	const steps = [
		...(reasoning === undefined
			? []
			: [...reasoning].flatMap((piece) => [...assembly.push({ reasoning: piece })])),
		...pieces.flatMap((piece) => [...assembly.push({ text: piece })]),
		...(calls === undefined ? [] : [...assembly.push({ toolCalls: calls })]),
		...assembly.push({ finishReason: finish }),
		...assembly.push({ done: true }),
		...assembly.flush(),
	];
	const result = assembly.finish();
	const seen = assembly.unrunCall;
	const notes = 'answer' in result ? result.answer.notes : [];
	const numbers = notes.filter((note) => note.includes('kept as text'));
	return {
		text: steps.map(({ text }) => text).join(''),
		reasoning: steps.map((step) => step.reasoning).join(''),
		calls:
			'answer' in result
				? result.answer.toolCalls.map((call) => `${call.name} ${call.arguments}`)
				: [],
		...(numbers.length === 0 ? {} : { numbers }),
		...(seen === undefined ? {} : { note: seen.because, noted: seen.family.id, tool: seen.name }),
	};
}

/** Every way to cut a text in two, and each character alone. */
export function* everyCut(text: string): Generator<string[]> {
	yield text.split('');
	for (let at = 1; at < text.length; at += 1) yield [text.slice(0, at), text.slice(at)];
}
