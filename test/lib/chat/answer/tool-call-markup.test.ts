import { markupAt, MARKUP_OPENINGS, type OfferedTools } from '../../../../lib/chat/answer/tool-call-markup';
import type { ToolCallMarkup } from '../../../../lib/servers/kinds/kind';

const tools: OfferedTools = new Map(
	[
		{ name: 'get_time', parameters: { type: 'object', properties: {} } },
		{
			name: 'get_weather',
			parameters: {
				type: 'object',
				properties: { city: { type: 'string' }, days: { enum: [1, 2, 3] }, note: {} },
			},
		},
	].map((tool) => [tool.name, tool]),
);
const read = (text: string, isEnd = false) => markupAt(text)!.read(text, tools, isEnd);
const TIME = { name: 'get_time', arguments: '{}' };

describe('the markup that a text begins with', () => {
	it.each<[string, ToolCallMarkup | undefined]>([
		['<tool_call>{', 'toolCallTag'],
		['<function=get_time>', 'functionTag'],
		['[TOOL_CALLS]', 'mistral'],
		['<|python_tag|>', 'pythonTag'],
		[' <tool_call>', undefined],
		['<tool_cal', undefined],
		['', undefined],
	])('of %j is %s', (text, markup) => {
		expect(markupAt(text)?.markup).toBe(markup);
	});

	it.each([
		['<tool_call>{"name":"get_time"}</tool_call>', ' and more'],
		['<function=get_time></function>', ' and more'],
		['[TOOL_CALLS][{"name":"get_time","arguments":{}}]', ' and more'],
		['[TOOL_CALLS]get_time[ARGS]{}', '[TOOL_CALLS]get_weather'],
		['<|python_tag|>{"name":"get_time","parameters":{}}<|eom_id|>', ' and more'],
	])('%s ends where the call ends, whatever follows, and is open until then', (call, rest) => {
		expect(read(call + rest)).toEqual({ calls: [TIME], length: call.length });
		const opening = MARKUP_OPENINGS.find((one) => call.startsWith(one))!;
		for (let length = opening.length; length < call.length; length++)
			expect([length, read(call.slice(0, length))]).toEqual([length, 'open']);
	});

	it('an opening that turned out to be text stays text, whatever follows', () => {
		for (const text of ['<tool_call></tool_call>', '<function=rm>', '[TOOL_CALLS]rm[ARGS]', '<|python_tag|>print(1)'])
			for (const rest of ['', ' x', '{"name":"get_time"}</tool_call>']) expect(read(text + rest)).toBe('text');
	});

	it('a call of Llama 3 and one without its closing tag are calls at the end only', () => {
		const python = '<|python_tag|>{"name":"get_time","parameters":{}}';
		expect(read(python)).toBe('open');
		expect(read(python, true)).toEqual({ calls: [TIME], length: python.length });
		const hermes = '<tool_call>{"name":"get_time"}';
		expect(read(hermes)).toBe('open');
		expect(read(hermes, true)).toEqual({ calls: [TIME], length: hermes.length });
	});

	it.each([
		['days', '2', 2],
		['days', 'soon', 'soon'],
		['note', '2', '2'],
		['note', '{"a":[1]}', { a: [1] }],
		['city', 'null', 'null'],
		['unheard', 'true', 'true'],
	])("the parameter %s=%s of Qwen3-Coder has the type of the tool's schema", (key, written, value) => {
		const text = `<function=get_weather><parameter=${key}>${written}</parameter></function>`;
		expect(read(text)).toEqual({
			calls: [{ name: 'get_weather', arguments: JSON.stringify({ [key]: value }) }],
			length: text.length,
		});
	});
});
