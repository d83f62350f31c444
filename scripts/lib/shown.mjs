/**
 * What the pictures of the documents show, so that one that is older than its panel is noticed: `docs/images/shown.json`
 * holds a hash for each, written when it is taken.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { root } from './paths.mjs';
import { IMAGES } from './pictures.mjs';

/** @import { ICredentialType, INodeProperties, INodeTypeDescription, INodePropertyOptions } from 'n8n-workflow' */

/**
 * @typedef {object} Subject what a picture shows
 * @property {'panel' | 'actions' | 'credential' | 'workflow'} kind
 * @property {string} name of the node, the credential or the example
 */
/** @typedef {(name: string) => INodeTypeDescription} DescriptionOf */
/** @typedef {(name: string) => ICredentialType} CredentialOf */

export const SHOWN = `${IMAGES}/shown.json`;

/** @type {Record<string, Subject>} Pictures whose name does not tell it. */
const OTHERS = {
	credential: { kind: 'credential', name: 'localLlamaApi' },
	'first-answer/1-model': { kind: 'panel', name: 'localChatModel' },
	'first-answer/2-credential': { kind: 'credential', name: 'localLlamaApi' },
	'model-list': { kind: 'panel', name: 'localChatModel' },
	'model-list-error': { kind: 'panel', name: 'localChatModel' },
	'model-list-llama-server': { kind: 'panel', name: 'localChatModel' },
	'model-list-ollama': { kind: 'panel', name: 'localChatModel' },
	'options-groups': { kind: 'panel', name: 'localChatModel' },
	'options-local-llama': { kind: 'panel', name: 'localLlama' },
	'panel-dify-chat-message': { kind: 'panel', name: 'difyChatMessage' },
	'server-health': { kind: 'panel', name: 'serverHealth' },
};

/** @type {Record<string, Subject['kind']>} What the pictures of a folder show: the thing of their name. */
const FOLDERS = {
	actions: 'actions',
	nodes: 'panel',
	'nodes-dark': 'panel',
	workflows: 'workflow',
};

/** @type {Record<string, string>} Names of pages that are not the node's. */
const NODES = { 'dify-apps': 'difyApp' };

/**
 * @param {string} file a picture, from the project's root
 * @returns {Subject | undefined} undefined: nothing whose age is known
 */
export const subjectOf = (file) => {
	const picture = posix.relative(IMAGES, file).replace(/\.\w+$/, '');
	const [folder, name = ''] = picture.split('/');
	const kind = FOLDERS[folder ?? ''];
	if (kind === undefined) return OTHERS[picture];
	return { kind, name: kind === 'workflow' ? name : (NODES[name] ?? camelCase(name)) };
};

/** @param {string} name */
const camelCase = (name) =>
	name.replace(/-(\w)/g, (_all, /** @type {string} */ letter) => letter.toUpperCase());

/**
 * @param {Subject} subject
 * @param {DescriptionOf} descriptionOf
 * @param {CredentialOf} credentialOf
 * @returns {string} changes when the picture would
 */
export const hashOf = ({ kind, name }, descriptionOf, credentialOf) => {
	const shown = {
		panel: () => panelOf(descriptionOf(name)),
		actions: () => actionsOf(descriptionOf(name)),
		credential: () => fieldsOf(credentialOf(name).properties),
		workflow: () => canvasOf(readFileSync(join(root, 'workflows', `${name}.json`), 'utf8')),
	}[kind]();
	return createHash('sha256').update(JSON.stringify(shown)).digest('hex').slice(0, 16);
};

/** @param {INodeTypeDescription} description */
const panelOf = ({ displayName, credentials = [], properties }) => ({
	displayName,
	credentials: credentials.map(({ name }) => name),
	fields: fieldsOf(properties),
});

/** @param {INodeTypeDescription} description */
const actionsOf = ({ properties }) =>
	properties
		.filter(({ name }) => name === 'operation' || name === 'event')
		.flatMap(({ options = [] }) => /** @type {INodePropertyOptions[]} */ (options))
		.map(({ action }) => action);

/**
 * The fields of a panel as added, with what is seen of them. What a list or a hover text says is not.
 *
 * @param {INodeProperties[]} properties
 */
const fieldsOf = (properties) => {
	/** @type {Record<string, unknown>} */
	const values = {};
	return properties
		.filter((property) => {
			const { show = {} } = property.displayOptions ?? {};
			const isShown = Object.entries(show).every(
				([name, allowed = []]) =>
					!(name in values) || allowed.some((value) => value === values[name]),
			);
			if (isShown) values[property.name] ??= property.default;
			return isShown;
		})
		.map(({ displayName, type, default: preset, placeholder, typeOptions, hint, options = [] }) => {
			const chosen = options.find((option) => 'value' in option && option.value === preset);
			return [displayName, type, chosen?.name ?? preset, placeholder, typeOptions?.rows, hint];
		});
};

/**
 * The nodes of an example and their connections.
 *
 * @param {string} text
 */
const canvasOf = (text) => {
	/** @type {{ nodes: Array<Record<string, any>>, connections: object }} */
	const { nodes, connections } = JSON.parse(text);
	return {
		connections,
		nodes: nodes.map(({ name, type, position, disabled, parameters }) => {
			const { content, height, width, resource, operation } = parameters;
			return [name, type, position, disabled, content, height, width, resource, operation];
		}),
	};
};

/** @returns {Record<string, string>} the hash of each picture when it was taken, by its path from the project's root */
export const recordedHashes = () => JSON.parse(readFileSync(join(root, SHOWN), 'utf8'));

/**
 * Records what pictures show that have just been taken.
 *
 * @param {string[]} files
 * @param {DescriptionOf} descriptionOf
 * @param {CredentialOf} credentialOf
 */
export const recordShown = (files, descriptionOf, credentialOf) => {
	const hashes = recordedHashes();
	for (const file of files) {
		const subject = subjectOf(file);
		if (subject !== undefined) hashes[file] = hashOf(subject, descriptionOf, credentialOf);
	}
	const sorted = Object.fromEntries(
		Object.entries(hashes).sort(([one], [other]) => (one < other ? -1 : 1)),
	);
	writeFileSync(join(root, SHOWN), `${JSON.stringify(sorted, null, '\t')}\n`);
};
