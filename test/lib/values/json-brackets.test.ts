import { JsonBrackets } from '../../../lib/values/json-brackets';

test('brackets are counted in chunks of any size, also after the end of a value', () => {
	const brackets = new JsonBrackets();
	for (const chunk of ['["\\', '""]["a"', ',{']) brackets.readAll(chunk);
	expect(brackets).toMatchObject({ depth: 2, deepest: 2, isInString: false });
});
