import type { HostClasses, HostMessageChunk, HostRunManager } from './host';

type MessageChunkClass = HostClasses['AIMessageChunk'];

/** What LangChain writes to in a message, or merges from it: never shared by two messages. */
const OWN_FIELDS = ['additional_kwargs', 'response_metadata', 'tool_calls', 'invalid_tool_calls', 'tool_call_chunks'];

/**
 * Makes message chunks that hold text alone. LangChain's constructor (core, messages/ai.ts) takes 5 µs, most of what a
 * piece of a stream costs behind the reading; a copy of one message takes a fraction of it. Where a copy is not what the
 * constructor makes, the constructor is used.
 */
export function textMessageMaker(AIMessageChunk: MessageChunkClass): (text: string) => HostMessageChunk {
	const construct = (text: string) => new AIMessageChunk({ content: text });
	const copy = copier(construct('') as unknown as Record<string, unknown>);
	return isSame(construct, copy) ? copy : construct;
}

function copier(model: Record<string, unknown>): (text: string) => HostMessageChunk {
	const prototype = Object.getPrototypeOf(model) as object;
	const fresh = OWN_FIELDS.filter((name) => name in model);
	return (text) => {
		const message = Object.assign(Object.create(prototype) as Record<string, unknown>, model);
		const kwargs: Record<string, unknown> = { ...(model.lc_kwargs as object), content: text };
		message.content = text;
		for (const name of fresh) {
			message[name] = Array.isArray(model[name]) ? [] : {};
			kwargs[name] = message[name];
		}
		message.lc_kwargs = kwargs;
		return message as unknown as HostMessageChunk;
	};
}

/** Whether both make the same, also in what LangChain does with it: an id, joining, and writing it out. */
function isSame(construct: (text: string) => unknown, copy: (text: string) => unknown): boolean {
	const written = (make: (text: string) => unknown) => {
		const [first, second] = [make('a'), make('b')] as Array<{
			_updateId(id: string): void;
			concat(other: unknown): unknown;
		}>;
		first!._updateId('id');
		return [first, second, first!.concat(second)].map((message) => [
			Object.entries(message as object).map(([name, value]) => [name, JSON.stringify(value)]),
			JSON.stringify(message),
		]);
	};
	try {
		return JSON.stringify(written(construct)) === JSON.stringify(written(copy));
	} catch {
		return false;
	}
}

/** Whether any callback takes tokens: n8n's tracer does not, the events of its agent do. */
export function hearsTokens({ handlers }: HostRunManager): boolean {
	return (
		!Array.isArray(handlers) ||
		(handlers as Array<Record<string, unknown>>).some(({ handleLLMNewToken: listens }) => listens !== undefined)
	);
}
