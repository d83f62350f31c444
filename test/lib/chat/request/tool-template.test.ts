import { templateIn, toolTemplate } from '../../../../lib/chat/request/tool-template';
import type { Connection } from '../../../../lib/http/connection';
import type { KindName } from '../../../../lib/servers/kinds';

const tools = [{ name: 'f', parameters: {} }];

/** A server that answers everything with this, and what it was asked for. */
function server(json: unknown, status = 200) {
	const asked: string[] = [];
	const connection = {
		url: { root: 'http://x' },
		call: async (url: string) => {
			asked.push(url);
			return await Promise.resolve({ status, json });
		},
	} as unknown as Connection;
	const ask = async (serverKind: KindName, model: string, offered = tools) =>
		await toolTemplate(connection, { tools: offered, model, serverKind });
	return { asked, ask };
}

it.each<[string, Record<string, unknown>, object]>([
	[
		'a template with tools',
		{ chat_template: 'x', chat_template_caps: { supports_tools: true } },
		{ template: 'x', dropsTools: false },
	],
	[
		'one without',
		{ chat_template: 'x', chat_template_caps: { supports_tools: false } },
		{ template: 'x', dropsTools: true },
	],
	['an old llama-server', { chat_template: 'x' }, { template: 'x', dropsTools: false }],
	["Ollama's", { template: '{{ .Tools }}' }, { template: '{{ .Tools }}', dropsTools: false }],
	[
		'ik_llama.cpp, a template with tools',
		{ chat_template: '{% if tools %}', chat_template_caps: {} },
		{ template: '{% if tools %}', dropsTools: false },
	],
	[
		'ik_llama.cpp, one without',
		{ chat_template: '{{ messages }}', chat_template_caps: {} },
		{ template: '{{ messages }}', dropsTools: true },
	],
	['ik_llama.cpp, no template', { chat_template_caps: {} }, { dropsTools: false }],
	['nothing', {}, { dropsTools: false }],
])('%s', (_what, props, told) => {
	expect(templateIn(props)).toEqual(told);
});

it('is asked for once, at the place where the server tells it', async () => {
	const { asked, ask } = server({ chat_template: 'x' });
	for (let round = 0; round < 2; round++)
		expect(await ask('llamaServer', 'a')).toEqual({ template: 'x', dropsTools: false });
	await ask('llamaRouter', 'b c');
	await ask('ollama', 'd');
	expect(asked).toEqual([
		'http://x/props',
		'http://x/props?model=b%20c&autoload=false',
		'http://x/api/show',
	]);
});

it('is not asked for without tools, or where nothing tells it, and again after a failure', async () => {
	const { asked, ask } = server(undefined, 500);
	expect(await ask('llamaServer', 'e', [])).toEqual({ dropsTools: false });
	expect(await ask('vllm', 'e')).toEqual({ dropsTools: false });
	expect(asked).toEqual([]);
	for (let round = 0; round < 2; round++)
		expect(await ask('llamaServer', 'e')).toEqual({ dropsTools: false });
	expect(asked).toHaveLength(2);
});
