import { clock } from '../../../../lib/clock';
import { remarkOnContextSize } from '../../../../lib/chat/answer/context-sizes';

it('a change causes a remark, a repetition does not', () => {
	expect(remarkOnContextSize('m', { size: 4096 })).toBeUndefined();
	expect(remarkOnContextSize('m', { size: 4096 })).toBeUndefined();
	expect(remarkOnContextSize('m', { size: 8192 })).toContain('4096');
	expect(remarkOnContextSize('other', { size: 2048 })).toBeUndefined();
});

it('the default of the server is another size only where the model was loaded anew', () => {
	remarkOnContextSize('m', { size: undefined });
	expect(remarkOnContextSize('m', { size: 4096, loadMs: 20 })).toBeUndefined();
	expect(remarkOnContextSize('m', { size: undefined, loadMs: 5_000 })).toContain('no Context Size');
});

it('after ten minutes the model was unloaded in any case', () => {
	const now = jest.spyOn(clock, 'now').mockReturnValue(0);
	remarkOnContextSize('m', { size: 4096 });
	now.mockReturnValue(11 * 60_000);
	expect(remarkOnContextSize('m', { size: 8192 })).toBeUndefined();
	now.mockRestore();
});
