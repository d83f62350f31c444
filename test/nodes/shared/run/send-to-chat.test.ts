import { sendToChat } from '../../../../nodes/shared/run/send-to-chat';

/** Passes a piece on, or fails as the list says. */
function chatThat(...fails: string[]) {
	const sent: unknown[][] = [];
	const leaving = new AbortController();
	const context = {
		getExecutionCancelSignal: () => leaving.signal,
		sendChunk: async (...piece: unknown[]) => {
			const failure = fails.shift();
			if (failure !== undefined) throw new Error(failure);
			sent.push(piece);
			await Promise.resolve();
		},
	};
	return { context, sent, leaving, left: () => fails.length };
}

const LOADING = 'LOADING Redis is loading the dataset in memory';

describe('a piece for the chat', () => {
	it('is passed on once', async () => {
		const { context, sent } = chatThat();
		await sendToChat(context, 'begin', 0);
		await sendToChat(context, 'item', 0, 'Hi');
		expect(sent).toEqual([
			['begin', 0],
			['item', 0, 'Hi'],
		]);
	});

	it('waits for a Redis that has just been started again, and stays in its order', async () => {
		const { context, sent } = chatThat(LOADING, LOADING);
		await sendToChat(context, 'item', 2, 'one');
		await sendToChat(context, 'item', 2, 'two');
		expect(sent).toEqual([
			['item', 2, 'one'],
			['item', 2, 'two'],
		]);
	});

	it('fails at once where nobody reads any more', async () => {
		const { context, left } = chatThat('write after end', 'not reached');
		await expect(sendToChat(context, 'item', 0, 'Hi')).rejects.toThrow('write after end');
		expect(left()).toBe(1);
	});

	it('is not waited for after Stop', async () => {
		const { context, leaving, sent } = chatThat(...Array.from({ length: 1000 }, () => LOADING));
		const waiting = sendToChat(context, 'item', 0, 'Hi');
		leaving.abort();
		await expect(waiting).rejects.toThrow();
		expect(sent).toEqual([]);
	});
});
