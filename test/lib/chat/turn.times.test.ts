/** The times of a turn, by a clock that only the test moves: the first token, not a later one, and all of it. */
import type * as http from 'node:http';
import fc from 'fast-check';
import { useClock } from '../../guarantees/support/fake-clock';
import {
	CHAT,
	delta,
	LLAMA_SERVER,
	openStream,
	send,
	usage,
} from '../../guarantees/support/responses';
import { examples } from '../../support/jest/properties';
import { useServers } from '../../support/servers/scripted-server';
import type { Answer } from '../../support/servers/scripted-server';
import { playTurn } from './scripted-turn';

const clock = useClock();
const start = useServers();

test('any pauses before the tokens of a response', async () => {
	const pauses = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 4 });
	await fc.assert(
		fc.asyncProperty(pauses, fc.boolean(), async (seconds, thinks) => {
			const answer: Answer = (_request: unknown, response: http.ServerResponse) => {
				openStream(response);
				let atMs = 0;
				for (const [at, pause] of seconds.entries()) {
					atMs += pause * 1_000;
					const text = thinks && at === 0 ? { reasoning_content: 'Hm' } : { content: '.' };
					setTimeout(() => send(response, delta(text)), atMs);
				}
				const end = () => {
					send(response, delta({ content: '!' }, 'stop'), usage(), '[DONE]');
					response.end();
				};
				setTimeout(end, atMs + 1_000);
			};
			const server = await start({ ...LLAMA_SERVER, [`POST ${CHAT}`]: answer });
			const { result } = await clock.passUntil(playTurn(server.url));
			const total = seconds.reduce((sum, pause) => sum + pause, 0) + 1;
			// The clock passes in steps of a second.
			expect(Math.abs(result!.firstTokenMs! / 1_000 - seconds[0]!)).toBeLessThanOrEqual(1);
			expect(Math.abs(result!.totalMs / 1_000 - total)).toBeLessThanOrEqual(1);
		}),
		examples(10),
	);
});
