/** A file is one file, whatever its URL is signed with: Dify signs it again for each event. */
import { collectOutputFiles, getFileKeys } from '../../../lib/dify/output-files';

const MARK = { dify_model_identity: '__dify__file__' };
const PATH = '/files/tools/one.png';

test.each([
	['timestamp=2&nonce=a&sign=x', 'another time'],
	['timestamp=1&nonce=b&sign=x', 'another nonce'],
	['timestamp=1&nonce=a&sign=y', 'another signature'],
	['sign=z&timestamp=3&nonce=c', 'another order'],
])('with %s it is the same: %s', (query) => {
	const first = { url: `${PATH}?timestamp=1&nonce=a&sign=x` };
	const again = { url: `${PATH}?${query}` };
	const outputs = { image: { ...MARK, ...first }, list: [{ ...MARK, ...again }] };
	expect(collectOutputFiles(outputs, [again])).toEqual([outputs.image]);
});

test.each([
	{ url: `/files/tools/two.png?timestamp=1&nonce=a&sign=x` },
	{ url: `${PATH}?timestamp=1&nonce=a&sign=x&page=2` },
	{ id: 'other' },
])('another file stays: %j', (other) => {
	const first = { id: 'one', url: `${PATH}?timestamp=1&nonce=a&sign=x` };
	expect(collectOutputFiles({}, [first, other])).toEqual([first, other]);
	expect(getFileKeys(first)).toContain('one');
});
