import { file, useLocalLlama } from '../run-node';

const { serve, executeIn, prepare, getError, getHints, getContent } = useLocalLlama();
const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
const ASK = {
	resource: 'image',
	operation: 'ask',
	binaryFields: 'data',
	prompt: 'What color is the bike?',
	system: '',
	options: {},
};

test('the image of the item is sent with the question, and the output is the answer', async () => {
	await serve({ vision: true });
	const [item] = await executeIn(
		prepare({ parameters: ASK, items: file(PNG, 'bike.png', 'image/png') }),
	);
	expect(getContent()).toEqual([
		{ type: 'text', text: 'What color is the bike?' },
		{ type: 'image_url', image_url: { url: `data:image/png;base64,${PNG.toString('base64')}` } },
	]);
	expect(item!.json.output).toEqual(expect.any(String));
});

test('a field that the item does not have is an error that names those of the item', async () => {
	const sim = await serve({ vision: true });
	const items = file(PNG, 'bike.png', 'image/png');
	const named = { ...ASK, binaryFields: 'Picture' };
	expect(await getError(named, { items })).toMatchObject({
		message: "The item has no binary field 'Picture'. The item has: data",
	});
	expect((await getError({ ...ASK, binaryFields: ' ' }, { items })).message).toContain(
		'The field "Input Binary Fields" is empty',
	);
	expect((await getError({ ...ASK, prompt: ' ' }, { items })).message).toContain(
		'The field "Prompt" is empty',
	);
	expect(sim.requests).toEqual([]);
});

test('further images of a message are named', async () => {
	await serve({ vision: true });
	const { data } = file(PNG, 'bike.png', 'image/png')[0]!.binary!;
	const message = { sessionId: 's', action: 'sendMessage', chatInput: 'Hi' };
	const items = [{ json: message, binary: { data: data!, data1: data! } }];
	expect(await getHints(ASK, items)).toEqual([
		'1 file was not sent: bike.png (Input Binary Fields does not name data1). To send such files, enter these names, too.',
	]);
});
