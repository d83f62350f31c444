import {
	callableTools,
	type ChatCall,
	type ChatSettings,
	draftRequest,
	hasPicture,
	textLength,
} from '../../../../lib/chat/request/request';
import type { ChatMessage, ToolDefinition } from '../../../../lib/chat/types';
import { PLAIN_SETTINGS } from '../chat-settings';

const tool = (name: string, properties: object = {}): ToolDefinition => ({
	name,
	parameters: { type: 'object', properties },
});
const HI: ChatMessage[] = [{ role: 'user', content: 'Hi' }];
const draft = (settings: Partial<ChatSettings> = {}, call: Partial<ChatCall> = {}, messages = HI) =>
	draftRequest({ ...PLAIN_SETTINGS, ...settings }, { messages: [], ...call }, messages);

describe('a request', () => {
	it('has the model without blanks, and stop texts of the node and of the call, each once', () => {
		const { request, notes } = draft(
			{ model: ' qwen ', parameters: { stop: ['a', 'b'] } },
			{ stop: ['b', 'c'] },
		).forServer('other');
		expect(request).toMatchObject({
			model: 'qwen',
			parameters: { stop: ['a', 'b', 'c'] },
			serverKind: 'other',
		});
		expect(notes).toEqual([]);
		expect(draft().forServer('other').request.parameters).not.toHaveProperty('stop');
	});

	it('the choice of the caller counts, and there is none without tools', () => {
		const choice = (call: Partial<ChatCall>) =>
			draft({}, call).forServer('other').request.toolChoice;
		expect(choice({ tools: [tool('f')], toolChoice: 'none' })).toBe('none');
		expect(choice({ tools: [tool('f')] })).toBeUndefined();
		expect(choice({ toolChoice: 'required' })).toBeUndefined();
		expect(() => draft({}, { tools: [tool('f')], toolChoice: { name: 'g' } })).toThrow('"g"');
	});

	it.each<[string, boolean, ReturnType<typeof draft>]>([
		['a plain question', false, draft()],
		['tools', true, draft({}, { tools: [tool('f')] })],
		[
			'a schema to clean',
			true,
			draft({}, { tools: [tool('f', { a: { type: 'string', pattern: 'x' } })] }),
		],
		['a tool choice', true, draft({}, { tools: [tool('f')], toolChoice: 'required' })],
		['an option that not every server takes', true, draft({ parameters: { topK: 5 } })],
		[
			'earlier thinking',
			true,
			draft({}, {}, [...HI, { role: 'assistant', content: 'a', reasoning: 'r' }]),
		],
		[
			'a picture',
			true,
			draft({}, {}, [
				{ role: 'user', content: [{ type: 'image', url: 'data:image/png;base64,AA==' }] },
			]),
		],
	])('the kind of server matters for %s: %s', (_what, matters, { dependsOnServer }) => {
		expect(dependsOnServer).toBe(matters);
	});

	it('schemas are cleaned for servers that make grammars of them only, and the given ones stay as they are', () => {
		const given = tool('f', { a: { type: 'string', pattern: 'x' } });
		const before = structuredClone(given);
		const one = draft({}, { tools: [given] });
		expect(one.forServer('vllm')).toMatchObject({ request: { tools: [given] }, notes: [] });
		const { request, notes } = one.forServer('llamaServer');
		expect(request.tools).toEqual([tool('f', { a: { type: 'string' } })]);
		expect(notes).toEqual([expect.stringContaining('the schema of the tool "f"')]);
		expect(given).toEqual(before);
	});
});

describe('what a request holds', () => {
	it('pictures and the length of its texts', () => {
		const picture: ChatMessage = {
			role: 'user',
			content: [
				{ type: 'text', text: '12345' },
				{ type: 'image', url: 'data:image/png;base64,AAAAAAAAAAAA' },
			],
		};
		expect([...HI, picture].map(hasPicture)).toEqual([false, true]);
		expect(textLength([...HI, picture])).toBe(7);
	});

	it('the tools that the model may call', () => {
		const tools = [tool('f'), tool('g')];
		const names = (toolChoice?: 'none' | 'required' | { name: string }) =>
			callableTools({
				model: 'm',
				messages: [],
				tools,
				parameters: {},
				serverKind: 'other',
				toolChoice,
			}).map(({ name }) => name);
		expect(names()).toEqual(['f', 'g']);
		expect(names('required')).toEqual(['f', 'g']);
		expect(names({ name: 'g' })).toEqual(['g']);
		expect(names('none')).toEqual([]);
	});
});
