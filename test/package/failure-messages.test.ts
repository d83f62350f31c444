/** A failure shows what was received: `expect(list.every(…)).toBe(true)` says only "Expected: true, Received: false". */
import { filesIn, read } from './sources';

const HIDING =
	/\bexpect\([^;]*\.(?:every|some|startsWith|endsWith|equals)\([^;]*\)\)\.toBe\((?:true|false)\);/;

test('no test compares a list or a text with a condition inside of expect', () => {
	const found = filesIn(['test'], /\.test\.ts$/).flatMap((file) =>
		read(file)
			.split('\n')
			.filter((line) => HIDING.test(line))
			.map((line) => `${file}: ${line.trim()}`),
	);
	expect(found).toEqual([]);
});
