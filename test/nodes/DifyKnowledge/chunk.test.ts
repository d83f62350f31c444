/**
 * An update of a chunk changes what is set, and nothing else: no default of an option acts, and Dify clears what is omitted. A
 * new one needs a content.
 */
import { addDocument } from '../../simulators/dify';
import { getLastBody, getWrites } from '../../lib/dify/knowledge/setup';
import { executeOperation, startScene } from './setup';

/** What is sent for an update of the chunk "Old." */
async function getSentChunk(options: object, isParentChild = false) {
	const scene = await startScene(isParentChild ? { form: 'hierarchical_model' } : {});
	const document = addDocument(scene.sim.store, scene.dataset, { name: 'a.txt', text: 'Old.' });
	if (isParentChild) document.form = 'hierarchical_model';
	const chunkId = document.segments[0]!.id;
	await executeOperation(scene, 'chunk', 'update', { documentId: document.id, chunkId, options });
	return getLastBody(scene.sim, /segments/).segment;
}

test.each([
	{ options: {}, sent: { content: 'Old.' } },
	{ options: { content: 'New.' }, sent: { content: 'New.' } },
	{ options: { enabled: false }, sent: { content: 'Old.', enabled: false } },
	{ options: { enabled: true }, sent: { content: 'Old.', enabled: true } },
	{ options: { keywords: 'x, y' }, sent: { content: 'Old.', keywords: ['x', 'y'] } },
	{ options: { answer: 'Why.' }, sent: { content: 'Old.', answer: 'Why.' } },
	{
		options: { content: 'New.', answer: 'Why.', enabled: true },
		sent: { content: 'New.', answer: 'Why.', enabled: true },
	},
])('with the options $options', async ({ options, sent }) => {
	expect(await getSentChunk(options)).toEqual(sent);
	const withChildren = { ...sent, regenerate_child_chunks: true };
	expect(await getSentChunk(options, true)).toEqual(withChildren);
});

test.each(['', ' \n'])('is not created from %j', async (content) => {
	const scene = await startScene();
	const { id: documentId } = addDocument(scene.sim.store, scene.dataset, { text: 'Old.' });
	const creating = executeOperation(scene, 'chunk', 'create', { documentId, content });
	await expect(creating).rejects.toThrow('The field "Content" is empty');
	expect(getWrites(scene.sim)).toEqual([]);
});
