import { isOtherLanguage } from '../../../lib/exchange/languages';

test.each([
	['de', 'en'],
	['de', 'English'],
	['de-DE', 'fr_FR'],
	['chinese', 'ja'],
	['he', 'Arabic'],
])('%s is not %s', (requested, received) => {
	expect(isOtherLanguage({ requested, received })).toBe(true);
});

test.each([
	['de', 'German'],
	['en-US', 'english'],
	['zh', 'mandarin'],
	['iw', 'hebrew'],
	['jw', 'javanese'],
	['tl', 'tagalog'],
	['', 'german'],
	['auto', 'german'],
	['de', 'unknown'],
	['de', ''],
	['de', 'the whole sentence of a server'],
])('%s may be %s', (requested, received) => {
	expect(isOtherLanguage({ requested, received })).toBe(false);
});
