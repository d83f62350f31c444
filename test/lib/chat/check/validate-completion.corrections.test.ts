/** What a model wrote in any round of corrections stays a quotation in the later ones: a text with it runs nothing. */
import { calls, CHAT, delta, LLAMA_SERVER, streamed } from '../../../guarantees/support/responses';
import { useServers } from '../../../support/servers/scripted-server';
import { playTurn } from '../scripted-turn';

const start = useServers();

const schema = {
	type: 'object',
	properties: { city: { type: 'string' } },
	required: ['city'],
};
const BLOCK = '<tool_call>{"name":"weather","arguments":{"city":"Rome"}}</tool_call>';
const QUOTING = JSON.stringify({ note: `They say: ${BLOCK}` });
const OTHER = '{"town":"Rome"}';

/** A response whose calls are wrong, so that they are corrected. */
const wrong = (id: string, args: string) => calls([id, 'weather', args]);

test.each([
	{ when: 'the only round', rounds: [QUOTING] },
	{ when: 'the first of two', rounds: [QUOTING, OTHER] },
	{ when: 'the last of two', rounds: [OTHER, QUOTING] },
])('after $rounds', async ({ rounds }) => {
	const answers = rounds.map((args, at) => wrong(`${at}`, args));
	const last = streamed(delta({ content: BLOCK }), delta({}, 'stop'));
	const server = await start({ ...LLAMA_SERVER, [`POST ${CHAT}`]: [...answers, last] });
	const { result, error } = await playTurn(server.url, {
		chatRequest: { tools: [{ name: 'weather', schema }] },
	});
	expect([error?.type, result?.toolCalls, result?.text]).toEqual([undefined, [], BLOCK]);
	expect(server.sent(CHAT)).toHaveLength(rounds.length + 1);
});
