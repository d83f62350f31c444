import * as fc from 'fast-check';

import { createRun, reduce } from '../../../../lib/dify/events';
import { sampleContext, type Script, type Step } from '../../../servers/dify';
import { Transcript } from '../../../servers/dify/script';
import { ENV, IDS, itemsText, lines, playScript, playText, said } from '../play';

describe('what the events mean', () => {
	test('case 45: chat, text and usage and resources ()', () => {
		const resources = [{ position: 1, document_name: 'a.pdf', score: 0.5 }];
		const script: Script = {
			steps: said('Hel', 'lo', '!'),
			usage: { total_tokens: 7, total_price: '0.0000280' },
			resources,
		};
		expect(playScript('chat', script).result).toMatchObject({
			...IDS,
			status: 'succeeded',
			text: 'Hello!',
			usage: { total_tokens: 7, total_price: '0.0000280' },
			retrieverResources: resources,
			metadata: { reasoning: {} },
			createdAt: 1705398420,
		});
	});

	test('case 46: message_replace, then one more piece ()', () => {
		const script: Script = { steps: [...said('bad'), { replace: 'Good' }, ...said('!')] };
		const { result, shown } = playScript('chat', script);
		expect([result.text, shown]).toEqual(['Good!', 'Good!']);
		const state = createRun();
		reduce(state, { event: 'message', answer: 'bad' });
		const step = reduce(state, {
			event: 'message_replace',
			answer: 'Good',
			reason: 'output_moderation',
		});
		expect(step.deltas).toEqual([{ type: 'replace', text: 'Good', reason: 'output_moderation' }]);
	});

	test('case 47: message_file with url is a file, with answer it is text ()', () => {
		const files = [{ type: 'image', transfer_method: 'remote_url', url: 'http://h/u.png' }];
		const steps: Step[] = [
			{ file: { id: 'f1', type: 'image', url: '/a.png' } },
			...said('See ', 'this'),
		];
		const run = new Transcript({ steps }, sampleContext('chat', { files }));
		const text = itemsText([...steps.flatMap((step) => run.step(step)), ...run.ending()]);
		expect(text).toContain(
			'"event":"message_file","conversation_id":"c","message_id":"m","created_at":1705398420,"task_id":"t","id":"m","answer":"See "',
		);
		expect(playText(text).result).toMatchObject({
			text: 'See this',
			files: [{ id: 'f1', type: 'image', belongs_to: 'assistant', url: '/a.png' }],
		});
		const upload = new Transcript({ steps: said('Seen') }, sampleContext('chat', { files }));
		const turn = itemsText([...upload.step({ text: 'Seen' }), ...upload.ending()]);
		expect(turn.includes('message_file')).toBe(false);
		expect(playText(turn).result).toMatchObject({ text: 'Seen', files: [] });
	});

	test('case 49: an annotation answers an agent app with message only ()', () => {
		const script: Script = {
			steps: said('Fixed.'),
			moderated: true,
			annotationReply: { id: 'an' },
		};
		const { result } = playScript('agent-chat', script);
		expect(result).toMatchObject({
			status: 'succeeded',
			text: 'Fixed.',
			metadata: { annotation_reply: { id: 'an' } },
		});
	});

	test("case 50: the New Agent's closing full message does not double the text", () => {
		const played = playScript('agent', { steps: [{ round: { chunks: ['Hel', 'lo'] } }] });
		expect([played.result.text, played.shown, played.closed]).toEqual(['Hello', 'Hello', true]);
		expect(played.result.retrieverResources).toEqual([]);
	});

	test('case 50: the closing message wins where it differs, adds what is missing, and does nothing when empty', () => {
		const after = (answer: string) => {
			const state = createRun();
			reduce(state, { event: 'agent_message', ...ENV, answer: 'Hello' });
			return [reduce(state, { event: 'message', ...ENV, answer }).deltas, state.text];
		};
		expect(after('Hi')).toEqual([[{ type: 'replace', text: 'Hi', reason: 'full_message' }], 'Hi']);
		expect(after('Hello.')).toEqual([[{ type: 'append', text: '.' }], 'Hello.']);
		expect(after('')).toEqual([[], 'Hello']);
	});

	test('case 50: the closing message counts once, however often it comes', () => {
		const pieces = fc.array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 4 });
		const repeats = fc.array(fc.boolean(), { minLength: 1, maxLength: 4 });
		fc.assert(
			fc.property(pieces, repeats, (chunks, messages) => {
				const whole = chunks.join('');
				const { result, shown } = playText(
					lines(
						...chunks.map((answer) => ({ event: 'agent_message', ...ENV, answer })),
						...messages.map((isFull) => ({
							event: 'message',
							...ENV,
							answer: isFull ? whole : '',
						})),
						{ event: 'message_end', ...ENV, metadata: {} },
					),
				);
				expect([result.status, result.text, shown]).toEqual(['succeeded', whole, whole]);
			}),
		);
	});

	test.each<[string, object, object | undefined]>([
		[
			'counted by its backend',
			{ prompt_tokens: 12, completion_tokens: 3, total_tokens: 15, total_price: '0' },
			{ prompt_tokens: 12, completion_tokens: 3, total_tokens: 15 },
		],
		[
			'a total only',
			{ prompt_tokens: 0, completion_tokens: 0, total_tokens: 15 },
			{ total_tokens: 15 },
		],
		['not counted', { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }, undefined],
	])('tokens of the New Agent: %s', (_name, usage, counts) => {
		const { result, shown } = playText(
			lines(
				{ event: 'agent_message', ...ENV, answer: 'Let me ' },
				{ event: 'agent_message', ...ENV, answer: 'look. ' },
				{ event: 'agent_thought', ...ENV, id: 'a', tool: 'search', tool_input: '{}' },
				{ event: 'agent_message', ...ENV, answer: 'Noon.' },
				{ event: 'message', ...ENV, answer: 'Noon.' },
				{ event: 'message_end', ...ENV, metadata: { usage } },
			),
		);
		// What was typed before the tool call stays.
		expect([result.status, result.text, shown]).toEqual([
			'succeeded',
			'Noon.',
			'Let me look. Noon.',
		]);
		if (counts === undefined) expect(result.usage).toBeUndefined();
		else expect(result.usage).toMatchObject(counts);
	});
});
