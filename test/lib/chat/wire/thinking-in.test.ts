import { openAiProtocol } from '../../../../lib/chat/wire/openai';
import { readEvent } from '../../../../lib/chat/answer/chain';
import { thinkingIn } from '../../../../lib/chat/wire/thinking-in';

it.each<[string, object]>([
	['a text', { reasoning: 'Hm.' }],
	['an object', { reasoning: { content: 'Hm.', signature: 'x' } }],
	['a list', { thinking: [{ type: 'thinking', thinking: 'H' }, 'm.'] }],
	[
		'blocks (LiteLLM)',
		{ thinking_blocks: [{ type: 'thinking', thinking: 'Hm.', signature: 's' }] },
	],
	[
		'blocks (TensorZero)',
		{ tensorzero_extra_content: [{ type: 'thought', insert_index: 0, id: '1', text: 'Hm.' }] },
	],
	['details (OpenRouter)', { reasoning_details: [{ type: 'reasoning.text', text: 'Hm.' }] }],
	['the second field where the first is empty', { reasoning_content: '', reasoning: 'Hm.' }],
])('thinking is read where it comes as %s', (_what, delta) => {
	expect(
		readEvent(openAiProtocol, { data: JSON.stringify({ choices: [{ index: 0, delta }] }) }),
	).toMatchObject({
		reasoning: 'Hm.',
	});
});

it('what is nested without end, or no thinking at all, is none', () => {
	let nested: unknown = 'deep';
	for (let depth = 0; depth < 10_000; depth++) nested = [nested];
	for (const value of [nested, 7, null, {}, { other: 'x' }, []]) expect(thinkingIn(value)).toBe('');
});
