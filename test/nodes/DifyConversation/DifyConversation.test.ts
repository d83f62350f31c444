import { createClient, sendMessage, startSim, UNKNOWN_ID } from '../../lib/dify/client';
import { startScripted } from '../../simulators/scripted';
import { useSimulator } from '../../simulators/use-simulator';
import { byId, getItemError, executeConversation } from '../dify';

const startServer = useSimulator(startScripted);

test('an error does not affect the other items', async () => {
	const sim = await startSim();
	const id = (await sendMessage(createClient(sim))).result.conversationId!;
	const perItem = [{ conversationId: byId(UNKNOWN_ID) }, { conversationId: byId(id) }];
	const items = await executeConversation(sim, 'message', 'getAll', {}, 'chat', {
		items: [{ json: {} }, { json: {} }],
		perItem,
		continueOnFail: true,
	});
	expect(
		items.map((item) => [item.json.query ?? getItemError(item)!.type, item.pairedItem]),
	).toEqual([
		['conversationNotFound', { item: 0 }],
		['hi', { item: 1 }],
	]);
});

describe('a message list', () => {
	const readEndlessList = async (isNew: boolean) => {
		let count = 0;
		const sim = await startServer((_request, response) => {
			response.setHeader('content-type', 'application/json');
			const record = { id: isNew ? `m${++count}` : 'same', query: 'hi' };
			response.end(JSON.stringify({ data: [record], has_more: true }));
		});
		const parameters = { conversationId: byId(UNKNOWN_ID), returnAll: true };
		const reading = executeConversation(sim as never, 'message', 'getAll', parameters, 'chat');
		return { reading, requests: sim.requests };
	};

	test('without an end is an error with its path', async () => {
		const { reading, requests } = await readEndlessList(true);
		await expect(reading).rejects.toThrow('/messages has more than 1000 pages');
		expect(requests).toHaveLength(1_000);
	});

	test('that repeats its page ends there', async () => {
		const { reading, requests } = await readEndlessList(false);
		expect(await reading).toHaveLength(1);
		expect(requests).toHaveLength(2);
	});
});
