import type { ChatLine, N8nClient } from '../../scripts/lib/types';
import { loadScript } from '../support/scripts';
import type { Chat, ChatOutcome } from '../e2e/support/scale';

interface Script {
	holdChats(
		n8n: N8nClient,
		chats: Chat[],
		options: { atOnce: number; limitMs: number },
	): Promise<ChatOutcome[]>;
	percentile(values: number[], share: number): number;
	questions(count: number, webhookIds: string[], name?: string): Chat[];
	answerOf(question: string): string;
}

const script = async (): Promise<Script> => ({
	...(await loadScript<Script>('chats')),
	...(await loadScript<Script>('scale-answers')),
});

const line = (type: ChatLine['type'], content?: string): ChatLine => ({ type, content, atMs: 7 });

/** A fake n8n whose answer depends on the question, and which records the number of concurrent chats. */
function n8nOf(answers: Record<string, Array<ChatLine | Error>>): {
	client: N8nClient;
	most: () => number;
} {
	let now = 0;
	let most = 0;
	async function* chat(_webhookId: string, text: string): AsyncGenerator<ChatLine> {
		most = Math.max(most, (now += 1));
		try {
			for (const one of answers[text] ?? [line('begin'), line('item', text), line('end')]) {
				await Promise.resolve();
				if (one instanceof Error) throw one;
				yield one;
			}
		} finally {
			now -= 1;
		}
	}
	return { client: { chat } as unknown as N8nClient, most: () => most };
}

describe('many chats at once', () => {
	it('reports what each user saw', async () => {
		const { holdChats } = await script();
		const { client } = n8nOf({
			cut: [line('begin'), line('item', 'Once '), line('item', 'upon'), new Error('terminated')],
			failed: [line('begin'), line('error', 'The server is gone'), line('end')],
		});
		const chats = ['cut', 'failed', 'whole'].map((text) => ({ webhookId: 'chat', text }));
		const outcomes = await holdChats(client, chats, { atOnce: 2, limitMs: 1000 });
		expect(outcomes).toMatchObject([
			{
				text: 'cut',
				answer: 'Once upon',
				pieces: 2,
				firstMs: 7,
				ended: false,
				problem: expect.stringContaining('terminated'),
				errors: [],
			},
			{ text: 'failed', answer: '', pieces: 0, ended: true, errors: ['The server is gone'] },
			{ text: 'whole', answer: 'whole', pieces: 1, ended: true, errors: [] },
		]);
	});

	it('holds as many at once as it is told', async () => {
		const { holdChats, questions } = await script();
		const { client, most } = n8nOf({});
		const outcomes = await holdChats(client, questions(20, ['one', 'other']), {
			atOnce: 5,
			limitMs: 1000,
		});
		expect(most()).toBe(5);
		expect(outcomes.every(({ text, answer }) => text === answer)).toBe(true);
	});

	it('asks no question twice, and has an answer of its own for each topic', async () => {
		const { questions, answerOf } = await script();
		const asked = questions(40, ['one', 'other'], 'Question').map(({ text }) => text);
		expect(new Set(asked).size).toBe(40);
		expect(new Set(asked.map(answerOf)).size).toBe(4);
	});

	it('counts percentiles by the nearest rank', async () => {
		const { percentile } = await script();
		const values = Array.from({ length: 100 }, (_, index) => 100 - index);
		expect([percentile(values, 0.5), percentile(values, 0.99), percentile([3], 0.99)]).toEqual([
			50, 99, 3,
		]);
		expect(percentile([], 0.5)).toBeNaN();
	});
});
