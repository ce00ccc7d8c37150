"""
glTF's metallic-roughness surface for Mitsuba 3, written from the model's description and not from our tracer's code.

Specular: GGX (Walter et al. 2007) with alpha = roughness^2, height-correlated Smith masking (Heitz 2014), Schlick's Fresnel
from F0 = mix(((n-1)/(n+1))^2, base colour, metallic). Diffuse: Lambert under that layer, coupled so that both together keep
energy and stay reciprocal (Shirley et al. 1997, Kelemen and Szirmay-Kalos 2001):

    f_d = (1 - metallic) base/pi * (1 - E(i)) (1 - E(o)) / (1 - E_avg)

where E is the directional albedo of the dielectric lobe, integrated here numerically. No energy compensation.
"""
import drjit as dr
import mitsuba as mi
import numpy as np


def directional_albedo(f0, roughness_steps=64, cosine_steps=64, samples=4096):
    """E[roughness, cosine] of a Schlick GGX lobe with this F0, and its cosine-weighted mean, as numpy arrays."""
    rng = np.random.default_rng(7)
    u = (np.arange(samples) + rng.random(samples)) / samples
    v = (np.arange(samples) * 0.6180339887 + 0.5) % 1.0
    table = np.zeros((roughness_steps, cosine_steps))
    cosines = (np.arange(cosine_steps) + 0.5) / cosine_steps
    for r in range(roughness_steps):
        alpha = max(((r + 0.5) / roughness_steps) ** 2, 1e-3)
        for c, mu in enumerate(cosines):
            o = np.array([np.sqrt(1 - mu * mu), 0.0, mu])
            # Visible normals (Heitz 2018).
            vh = np.array([alpha * o[0], 0.0, o[2]])
            vh /= np.linalg.norm(vh)
            t1 = np.array([0.0, 1.0, 0.0])
            t2 = np.cross(vh, t1)
            radius, phi = np.sqrt(u), 2 * np.pi * v
            p1 = radius * np.cos(phi)
            s = 0.5 * (1 + vh[2])
            p2 = (1 - s) * np.sqrt(np.maximum(0, 1 - p1 * p1)) + s * radius * np.sin(phi)
            p3 = np.sqrt(np.maximum(0, 1 - p1 * p1 - p2 * p2))
            n = p1[:, None] * t1 + p2[:, None] * t2 + p3[:, None] * vh
            h = np.stack([alpha * n[:, 0], alpha * n[:, 1], np.maximum(1e-9, n[:, 2])], -1)
            h /= np.linalg.norm(h, axis=1, keepdims=True)
            oh = h @ o
            i = 2 * oh[:, None] * h - o
            up = i[:, 2] > 0
            ci = np.maximum(i[:, 2], 1e-9)
            a2 = alpha * alpha
            root = lambda x: np.sqrt(a2 + (1 - a2) * x * x)
            g2_over_g1 = (ci * (root(mu) + mu)) / (ci * root(mu) + mu * root(ci))
            fresnel = f0 + (1 - f0) * np.maximum(0, 1 - oh) ** 5
            table[r, c] = np.mean(np.where(up, fresnel * g2_over_g1, 0.0))
    average = (table * cosines).mean(axis=1) * 2
    return table, average


class GltfBSDF(mi.BSDF):
    """Properties: base_color, roughness, metallic (textures), ior. Opaque; both sides shade when `two_sided`."""

    tables = {}

    def __init__(self, props):
        mi.BSDF.__init__(self, props)
        self.base_color = props.get_texture("base_color")
        self.roughness = props.get_texture("roughness")
        self.metallic = props.get_texture("metallic")
        ior = props.get("ior", 1.5)
        self.f0 = ((ior - 1) / (ior + 1)) ** 2
        if self.f0 not in GltfBSDF.tables:
            table, average = directional_albedo(self.f0)
            GltfBSDF.tables[self.f0] = (mi.TensorXf(table[..., None]), mi.TensorXf(average[None, :, None]))
        table, average = GltfBSDF.tables[self.f0]
        self.albedo_table = mi.Texture2f(table, wrap_mode=dr.WrapMode.Clamp)
        self.average_table = mi.Texture2f(average, wrap_mode=dr.WrapMode.Clamp)
        flags = mi.BSDFFlags.GlossyReflection | mi.BSDFFlags.FrontSide
        self.m_components = [mi.BSDFFlags.DiffuseReflection | mi.BSDFFlags.FrontSide, flags]
        self.m_flags = self.m_components[0] | self.m_components[1]

    def surface(self, si, active):
        base = self.base_color.eval(si, active)
        rough = dr.clip(self.roughness.eval_1(si, active), 0, 1)
        metal = dr.clip(self.metallic.eval_1(si, active), 0, 1)
        alpha = dr.maximum(rough * rough, 1e-3)
        f0 = dr.lerp(mi.Color3f(self.f0), base, metal)
        return base, rough, metal, alpha, f0

    def albedo(self, rough, cosine):
        return self.albedo_table.eval(mi.Point2f(cosine, rough))[0]

    def average(self, rough):
        return self.average_table.eval(mi.Point2f(rough, 0.5))[0]

    @staticmethod
    def root(cosine, a2):
        return dr.sqrt(a2 + (1 - a2) * cosine * cosine)

    def specular_chance(self, base, rough, metal, f0, co):
        lobe = self.albedo(rough, co)
        diffuse = mi.luminance(base) * (1 - metal) * (1 - lobe)
        specular = dr.maximum(lobe, mi.luminance(f0))
        return dr.clip(specular / (specular + diffuse + 1e-6), 0.1, 1.0)

    def value_and_density(self, si, wo, active):
        wi = si.wi
        ci, co = wi.z, wo.z
        base, rough, metal, alpha, f0 = self.surface(si, active)
        ok = active & (ci > 0) & (co > 0)
        a2 = alpha * alpha
        h = dr.normalize(wi + wo)
        e = (h.x * h.x + h.y * h.y) / a2 + h.z * h.z
        d = 1 / (dr.pi * a2 * e * e)
        v = 0.5 / dr.maximum(ci * self.root(co, a2) + co * self.root(ci, a2), 1e-12)
        fresnel = f0 + (1 - f0) * dr.power(dr.maximum(0, 1 - dr.dot(wi, h)), 5)
        coupled = (1 - self.albedo(rough, ci)) * (1 - self.albedo(rough, co)) / dr.maximum(1 - self.average(rough), 1e-4)
        value = fresnel * (d * v * co) + base * ((1 - metal) * coupled * co * dr.inv_pi)
        chance = self.specular_chance(base, rough, metal, f0, ci)
        visible = 2 / (ci + self.root(ci, a2)) * d * 0.25
        density = chance * visible + (1 - chance) * co * dr.inv_pi
        return value & ok, dr.select(ok, density, 0)

    def sample(self, ctx, si, sample1, sample2, active):
        wi = si.wi
        base, rough, metal, alpha, f0 = self.surface(si, active)
        chance = self.specular_chance(base, rough, metal, f0, wi.z)
        glossy = sample1 < chance
        distribution = mi.MicrofacetDistribution(mi.MicrofacetType.GGX, alpha, True)
        h, _ = distribution.sample(wi, sample2)
        wo = dr.select(glossy, mi.reflect(wi, h), mi.warp.square_to_cosine_hemisphere(sample2))
        value, density = self.value_and_density(si, wo, active)
        bs = mi.BSDFSample3f()
        bs.wo = wo
        bs.pdf = density
        bs.eta = 1.0
        bs.sampled_type = dr.select(
            glossy, mi.UInt32(+mi.BSDFFlags.GlossyReflection), mi.UInt32(+mi.BSDFFlags.DiffuseReflection)
        )
        bs.sampled_component = dr.select(glossy, mi.UInt32(1), mi.UInt32(0))
        valid = active & (density > 0) & (wi.z > 0)
        return bs, dr.select(valid, value / density, 0) & valid

    def eval(self, ctx, si, wo, active):
        return self.value_and_density(si, wo, active)[0]

    def pdf(self, ctx, si, wo, active):
        return self.value_and_density(si, wo, active)[1]

    def eval_pdf(self, ctx, si, wo, active):
        return self.value_and_density(si, wo, active)

    def traverse(self, callback):
        pass

    def to_string(self):
        return "GltfBSDF"


mi.register_bsdf("gltf", lambda props: GltfBSDF(props))
