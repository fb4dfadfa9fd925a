import { decays, LEARNING_RATE } from '../../step-recipe';

const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-6;
const DECAY = 0.01;

/** tfjs has Adam, but no AdamW: the one of step-recipe.ts. */
export class AdamW {
  #tf;
  #variables;
  #moments;

  /** @param variables name → tf.Variable */
  constructor(tf, variables) {
    this.#tf = tf;
    this.#variables = variables;
    const zeros = (variable) => tf.variable(tf.zerosLike(variable), false);
    this.#moments = new Map(
      [...variables].map(([name, variable]) => [name, { m: zeros(variable), v: zeros(variable) }]),
    );
  }

  /** @param gradients name → tensor */
  step(gradients) {
    const tf = this.#tf;
    for (const [name, variable] of this.#variables) {
      tf.tidy(() => {
        const gradient = gradients[name];
        const { m, v } = this.#moments.get(name);
        m.assign(tf.add(tf.mul(m, BETA1), tf.mul(gradient, 1 - BETA1)));
        v.assign(tf.add(tf.mul(v, BETA2), tf.mul(tf.square(gradient), 1 - BETA2)));
        const update = tf.div(m, tf.add(tf.sqrt(v), EPSILON));
        const decayed = decays(name) ? tf.add(update, tf.mul(variable, DECAY)) : update;
        variable.assign(tf.sub(variable, tf.mul(decayed, LEARNING_RATE)));
      });
    }
  }

  /** Waits until the last step has been computed. */
  async finished() {
    await this.#variables.get('classifier.bias').data();
  }
}
