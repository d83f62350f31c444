import { clearSharedCaches } from '../../../lib/lru-cache';
import { reply } from '../../simulators/llama-server';
import { AIMessage, HumanMessage, ToolMessage, useChatModel } from '../../support/chat-model';

const { server, supplied, chatRequests } = useChatModel();
beforeEach(clearSharedCaches);

const openAiTool = (name: string, description: string) => ({
	type: 'function',
	function: { name, description, parameters: { type: 'object', properties: {} } },
});
const TOOLS = [
	openAiTool('get_weather', 'Weather of a city'),
	openAiTool('get_time', 'Time of day in a city'),
	openAiTool('send_message', 'Sends a text to a person'),
	openAiTool('set_light', 'Changes the light of a room'),
];

const offeredIn = (body: Record<string, unknown>) =>
	(body.tools as Array<{ function: { name: string } }>).map((tool) => tool.function.name);

test('the tools that fit are sent, and the log names the others', async () => {
	const { model, outputs } = await supplied({ options: { maxTools: 2 } });
	await model.bindTools(TOOLS).invoke('Dim the light and message Anna');
	expect(offeredIn(chatRequests()[0]!)).toEqual(['send_message', 'set_light']);
	const log = JSON.stringify(outputs);
	expect(log).toContain('2 of 4, selected by keyword match');
	expect(log).toContain('"toolsOmitted":["get_weather","get_time"]');
});

test('few tools, and 0, are sent unchanged', async () => {
	for (const maxTools of [0, 4]) {
		const { model } = await supplied({ options: { maxTools } });
		await model.bindTools(TOOLS).invoke('Hi');
	}
	for (const body of chatRequests()) expect(offeredIn(body)).toHaveLength(4);
});

test('a call of a tool that was left out is a call, and brings it in', async () => {
	server().script(reply.toolCalls([{ name: 'get_time', arguments: '{}' }]));
	const { model } = await supplied({ options: { maxTools: 2 } });
	const question = new HumanMessage('Dim the light and message Anna');
	const answer = await model.bindTools(TOOLS).invoke([question]);
	const { tool_calls: calls } = answer as unknown as { tool_calls: Array<{ id: string }> };
	expect(calls).toEqual([expect.objectContaining({ name: 'get_time' })]);
	await model
		.bindTools(TOOLS)
		.invoke([
			question,
			new AIMessage({ content: '', tool_calls: calls }),
			new ToolMessage({ content: 'noon', tool_call_id: calls[0]!.id }),
		]);
	expect(offeredIn(chatRequests()[1]!)).toEqual(['get_time', 'send_message', 'set_light']);
});

test('a forced tool is sent even if it does not fit', async () => {
	const { model } = await supplied({ options: { maxTools: 1 } });
	const choice = { type: 'function', function: { name: 'get_time' } };
	await model.bindTools(TOOLS, { tool_choice: choice }).invoke('Dim the light');
	expect(offeredIn(chatRequests()[0]!)).toEqual(['get_time']);
});
