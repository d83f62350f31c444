import type { LocalChatModel as Model } from '../../../lib/langchain/local-chat-model';
import { DifyChatModel } from '../../../nodes/DifyChatModel/DifyChatModel.node';
import { startApp } from '../../lib/dify/client';
import { appKey, type DifySim } from '../../servers/dify';
import { AIMessage, collect, HumanMessage, weather } from '../../support/chat-model';
import { fakeContext } from '../../support/context';

async function supplied(sim: DifySim, parameters: Record<string, unknown> = {}) {
	const fake = fakeContext(
		{ user: 'u1', ...parameters },
		{ baseUrl: sim.url, apiKey: appKey('chat'), keyType: 'app' },
	);
	const { response } = await new DifyChatModel().supplyData.call(fake.context, 0);
	return { ...fake, model: response as Model };
}

const talking = async () =>
	await startApp('1.14', { mode: 'chat', reply: () => ['Hello', ' there'] });

describe('Dify Chat Model', () => {
	it('is a model of the host, which chains invoke and stream', async () => {
		const { model, outputs } = await supplied(await talking());
		expect((await model.invoke([new HumanMessage('Hi')])).content).toBe('Hello there');
		const chunks = await collect(model, [new HumanMessage('Hi')]);
		expect(chunks.map(({ content }) => content).join('')).toBe('Hello there');
		expect(outputs).toHaveLength(2);
		expect(outputs[0]).toMatchObject({
			response: { generations: [[{ text: 'Hello there', generationInfo: { app: 'chat' } }]] },
		});
	});

	it('shows its settings in the log, and no key', async () => {
		const { model, inputs } = await supplied(await talking());
		await model.invoke([new HumanMessage('Hi')]);
		expect(JSON.stringify(inputs)).toContain('"user":"u1"');
		expect(JSON.stringify(inputs)).not.toContain(appKey('chat'));
	});

	it('D138, D139: works for an agent without tools, and refuses tools before anything is sent, so that a fallback model can take over', async () => {
		const sim = await talking();
		const { model } = await supplied(sim);
		expect((await model.bindTools([]).invoke([new HumanMessage('Hi')])).content).toBe(
			'Hello there',
		);
		const before = sim.requests.length;
		const withTools = model.bindTools([weather]);
		await expect(withTools.invoke([new HumanMessage('Hi')])).rejects.toThrow(
			'A Dify app cannot be given tools',
		);
		await expect(collect(withTools, [new HumanMessage('Hi')])).rejects.toThrow(
			'A Dify app cannot be given tools',
		);
		// Nothing is sent to Dify, and an agent may have bound the tools to its fallback model as well.
		expect(sim.requests).toHaveLength(before);
		const other = (await supplied(sim)).model;
		const either = (withTools as Model & { withFallbacks(others: Model[]): Model }).withFallbacks([
			other,
		]);
		expect((await either.invoke([new HumanMessage('Hi')])).content).toBe('Hello there');
	});

	it('has the memory of n8n in one message', async () => {
		const sim = await talking();
		const { model } = await supplied(sim);
		await model.invoke([
			new HumanMessage('Hi'),
			new AIMessage({ content: 'Hello!' }),
			new HumanMessage('Again?'),
		]);
		expect(sim.store.runs.at(-1)!.query).toBe('User: Hi\nAssistant: Hello!\n\nAgain?');
	});

	it('sends the user of the workflow where User is left empty', async () => {
		const sim = await talking();
		const { model } = await supplied(sim, { user: '' });
		await model.invoke([new HumanMessage('Hi')]);
		expect(sim.store.runs.at(-1)!.user).toBe('n8n-w1');
	});

	it.each([
		[{ user: null }, /user is empty/],
		[{ memory: 'redis' }, /Memory/],
		[{ options: { inputs: 'no json' } }, /not a JSON object/],
	])('says which field is wrong: %j', async (parameters, message) => {
		await expect(supplied(await talking(), parameters)).rejects.toThrow(message);
	});
});
