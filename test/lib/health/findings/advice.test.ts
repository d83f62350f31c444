import { ADVICE, type AdviceId } from '../../../../lib/health/findings/advice';

const ROOT = 'http://10.0.0.5:8080';

describe('what a check says', () => {
	it('every finding has a meaning and an advice', () => {
		const facts = {
			model: 'm',
			others: ['a'],
			port: '8080',
			host: 'h',
			server: 'ollama' as const,
			exitCode: 1,
			args: '-x',
			context: 1,
			required: 2,
			slots: 2,
			count: 1,
			ms: 5,
			ago: '5 s ago',
			url: ROOT,
			percent: 40,
			what: 'vision',
		};
		for (const id of Object.keys(ADVICE) as AdviceId[]) {
			const { meaning, advice } = ADVICE[id].says(facts);
			expect({ id, meaning, advice }).toEqual({
				id,
				meaning: expect.stringMatching(/^\S.{10,}[^.]$/) as string,
				advice: expect.stringMatching(/^[A-Z].{10,}[^ ]$/) as string,
			});
			expect(`${meaning} ${advice}`).not.toMatch(/undefined|""| {2}/);
		}
	});
});
