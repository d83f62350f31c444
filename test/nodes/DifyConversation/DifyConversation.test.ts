import { clientOf, say, startSim, UNKNOWN_ID } from '../../lib/dify/client';
import { byId, errorIn, manage } from '../dify';

test('a failure does not lose the others', async () => {
	const sim = await startSim();
	const id = (await say(clientOf(sim))).result.conversationId!;
	const perItem = [{ conversationId: byId(UNKNOWN_ID) }, { conversationId: byId(id) }];
	const items = await manage(sim, 'message', 'getAll', {}, 'chat', {
		items: [{ json: {} }, { json: {} }],
		perItem,
		continueOnFail: true,
	});
	expect(items.map((item) => [item.json.query ?? errorIn(item)!.kind, item.pairedItem])).toEqual([
		['conversationNotFound', { item: 0 }],
		['hi', { item: 1 }],
	]);
});
