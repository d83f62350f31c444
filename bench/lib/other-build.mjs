/** Another clone of this package as a contestant, in an n8n of its own: one n8n loads one build of a node. */
import { copyFileSync, cpSync, existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { copyPreparedUserFolder, startN8n, TEST_LOGIN } from '../../scripts/lib/n8n/n8n.mjs';

/**
 * Copies the build of a clone to where Node finds none of its modules (`stageBuild` says why).
 *
 * @param {string} clone
 * @param {string} work an empty folder for it
 * @returns {string} folder for `N8N_CUSTOM_EXTENSIONS`
 */
const stageOtherBuild = (clone, work) => {
	const dist = join(clone, 'dist');
	if (!existsSync(dist)) throw new Error(`No build in ${clone}: run \`npm run build\` there.`);
	const folder = join(work, 'nodes');
	mkdirSync(join(folder, 'node_modules'), { recursive: true });
	copyFileSync(join(clone, 'package.json'), join(folder, 'package.json'));
	cpSync(dist, join(folder, 'dist'), { recursive: true });
	return folder;
};

/**
 * Starts an n8n with the nodes of another clone.
 *
 * @param {import('../../scripts/lib/types').N8nInstall} install
 * @param {string} clone that is built
 * @param {string} work a folder for its files
 * @returns {Promise<import('../../scripts/lib/types').N8nServer>}
 */
export const startN8nWithOtherBuild = async (install, clone, work) => {
	const nodes = stageOtherBuild(resolve(clone), join(work, 'other'));
	const userFolder = join(work, 'other', 'home');
	await copyPreparedUserFolder(install, userFolder);
	const n8n = await startN8n(install, { userFolder, customExtensions: [nodes] });
	await n8n.login(TEST_LOGIN);
	return n8n;
};
