import { connectTo } from '../../../../lib/servers/connect';
import { ChatClient } from '../../../../lib/chat/client';
import type { ChatParameters } from '../../../../lib/chat/types';
import { askServerKind } from '../../../../lib/servers/identify';
import { KINDS, KNOWN_REFUSALS, type KindName } from '../../../../lib/servers/kinds';
import {
	type LlamaServerSim,
	type Profile,
	reply,
	startLlamaServerSim,
} from '../../../servers/llama-server';
import { PLAIN_SETTINGS } from '../../chat/chat-settings';
import { useSimulator } from '../../../servers/use-simulator';

const startServer = useSimulator(startLlamaServerSim);

describe('what is known of each kind', () => {
	it.each(Object.entries(KINDS))('%s defines all traits', (_kind, traits) => {
		expect(traits.label).not.toBe('');
		expect(traits.chat.thinking.fields.length).toBeGreaterThan(0);
	});

	it('refusals are known once, whichever kind names them', () => {
		const said = KNOWN_REFUSALS.map(({ says, then }) => says?.source ?? then);
		expect(new Set(said).size).toBe(KNOWN_REFUSALS.length);
	});
});

describe('chats with servers that look like others', () => {
	let sim: LlamaServerSim;
	async function ask(
		parameters: ChatParameters,
		notes: unknown[] = [],
	): Promise<Record<string, unknown>> {
		const [{ id }] = sim.models as [{ id: string }];
		const connection = connectTo({ baseUrl: sim.url });
		const client = new ChatClient(connection, { ...PLAIN_SETTINGS, model: id, parameters });
		const pieces = client.generate({ messages: [{ type: 'human', content: 'Hi' }] });
		for (;;) {
			const piece = await pieces.next();
			if (piece.done) {
				expect(piece.value.notes).toEqual(notes);
				break;
			}
		}
		const { body } = sim.requests.findLast(({ path }) => path.endsWith('/chat/completions'))!;
		return body as Record<string, unknown>;
	}

	const parameters: ChatParameters = {
		topK: 20,
		minP: 0.1,
		repeatPenalty: 1.1,
		thinking: { mode: 'off' },
		responseFormat: { type: 'grammar', grammar: 'root ::= "a"' },
	};

	it.each<[Profile, KindName]>([
		['lm-studio', 'lmStudio'],
		['litellm', 'litellm'],
	])(
		'%s keeps its samplers, grammar and template arguments, and thinking is switched off in the template',
		async (profile, kind) => {
			sim = await startServer({ profile });
			const body = await ask(parameters);
			expect(body).toMatchObject({
				top_k: 20,
				min_p: 0.1,
				repeat_penalty: 1.1,
				grammar: 'root ::= "a"',
				chat_template_kwargs: { enable_thinking: false },
			});
			expect(body).not.toHaveProperty('reasoning_effort');
			expect(await askServerKind(connectTo({ baseUrl: sim.url }))).toBe(kind);
		},
	);

	it('a list that hangs costs one wait, not one for each generation', async () => {
		sim = await startServer({ profile: 'lm-studio' });
		sim.route('GET /v1/models', reply.silence());
		await askServerKind(connectTo({ baseUrl: sim.url }), '', { limitMs: 100 });
		const asked = () => sim.requests.filter(({ path }) => path === '/v1/models').length;
		const ofUnknown = [expect.stringContaining('GBNF grammar is not known')];
		await ask(parameters, ofUnknown);
		await ask(parameters, ofUnknown);
		expect(asked()).toBe(1);
	});
});
