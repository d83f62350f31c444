import { oddities } from '../../../lib/errors/letter-pairs';

test.each(['', 'knowledge', 'JavaScript', 'llama-server', 'technique', 'GitHub', 'authorization', 'Bartowski'])(
	'%p is made of words',
	(text) => {
		expect(oddities(text)).toBe(0);
	},
);

test.each([
	['vZqKxWjT', 10],
	['zkvqxtmb', 4],
	['x7Kq9Lm2', 6],
	['Qwen2VL7', 5],
	['iOSAppKeyOf', 2],
])('%s has what words have not', (text, count) => {
	expect(oddities(text)).toBe(count);
});
